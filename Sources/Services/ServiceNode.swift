internal import Linux

/// The services of this node: files, store and kernel, changed together or not at all.
///
/// Whoever works here has the lock. Definitions that have changed since the last time are applied
/// first; a store or a kernel that has lost something is made anew from the files.
public struct ServiceNode<Plane: ServicePlane> {
  let paths: ServicePaths
  let plane: Plane
  let store: ServiceStore
  let definitions: DefinitionDirectory
  /// How long to wait for the lock.
  var patience = Duration.seconds(30)

  /// The services of a node.
  ///
  /// - Parameters:
  ///   - paths: where their files are.
  ///   - plane: the kernel.
  public init(_ paths: ServicePaths, _ plane: Plane) {
    self.paths = paths
    self.plane = plane
    store = ServiceStore(paths: paths)
    definitions = DefinitionDirectory(paths: paths)
  }

  /// Does some work under the lock.
  func locked<Product>(_ work: () throws(ServiceError) -> Product) throws(ServiceError) -> Product {
    try store.doing { store throws(SystemError) in try store.prepare() }
    let lock: FileLock
    do throws(FileLockError) {
      lock = try store.lock(timeout: patience)
    } catch {
      throw .busy(error)
    }
    let product: Product
    do throws(ServiceError) {
      try store.doing { store throws(SystemError) in try store.clearDraft() }
      product = try work()
    } catch {
      _ = consume lock
      throw error
    }
    _ = consume lock
    return product
  }

  /// Asks the kernel.
  func asking<Product>(
    _ work: (Plane) throws(ServiceTableError) -> Product
  ) throws(ServiceError) -> Product {
    do throws(ServiceTableError) {
      return try work(plane)
    } catch {
      throw .kernel(error)
    }
  }
}

extension ServiceStore {
  /// Works on files.
  func doing<Product>(
    _ work: (ServiceStore) throws(SystemError) -> Product
  ) throws(ServiceError) -> Product {
    do throws(SystemError) {
      return try work(self)
    } catch {
      throw .system(error)
    }
  }
}
