public import Addressing
internal import Linux

// Questions that change nothing.

extension ServiceNode {
  /// Looks for what is missing of a pod's part in services.
  ///
  /// - Parameters:
  ///   - owner: the attachment.
  ///   - addresses: the addresses that it should have.
  /// - Returns: a sentence for each fault; none if all is well.
  /// - Throws: ``ServiceError`` when it cannot be told.
  public func faults(
    of owner: EndpointOwner, _ addresses: [IPAddress]
  ) throws(ServiceError) -> [String] {
    let found = try store.doing { store throws(SystemError) in try store.endpoint(owner) }
    let file: EndpointFile
    switch found {
    case .missing: return ["\(owner) has no endpoint file"]
    case .damaged(let path): return ["\(path) is damaged"]
    case .found(let read): file = read
    }
    guard Set(file.addresses) == Set(addresses) else {
      return ["\(owner) was added with other addresses: \(file.addresses)"]
    }
    var frontends: [Frontend] = []
    for name in file.services {
      switch try store.doing({ store throws(SystemError) in try store.service(name) }) {
      case .missing: return ["service \(name) is not known any more"]
      case .damaged(let path): return ["\(path) is damaged"]
      case .found(let service):
        guard service.endpoints.contains(where: { $0.origin == .attachment(owner) }) else {
          return ["service \(name) does not know \(owner)"]
        }
        frontends += service.frontends
      }
    }
    return try asking { plane throws(ServiceTableError) in
      guard try plane.isLaid() else { return ["the tables of services are missing"] }
      return try plane.faults(of: frontends)
    }
  }

  /// Shows that a pod could be added now.
  ///
  /// - Returns: why not; nil if it could.
  /// - Throws: ``ServiceError`` when it cannot be told.
  public func obstacle() throws(ServiceError) -> ServiceRefusal? {
    try store.doing { _ throws(SystemError) in
      try Directory.proveWritable(paths.run)
      try Directory.proveWritable(paths.state)
    }
    let bytes = try store.doing { _ throws(SystemError) in
      try File.readIfPresent(paths.settings, limit: 1 << 20)
    }
    if let bytes {
      do throws(ServiceRefusal) {
        _ = try ServiceSettings(bytes, file: paths.settings)
      } catch {
        return error
      }
    }
    _ = try asking { plane throws(ServiceTableError) in try plane.isLaid() }
    return nil
  }

  /// All services as they are, sorted by name.
  ///
  /// - Throws: ``ServiceError``.
  public func services() throws(ServiceError) -> [ResolvedService] {
    try store.doing { store throws(SystemError) in try store.services() }
      .sorted { $0.key < $1.key }.map(\.value)
  }

  /// One service as it is; nil if there is none.
  ///
  /// - Throws: ``ServiceError``.
  public func service(_ name: ServiceName) throws(ServiceError) -> ResolvedService? {
    let found = try store.doing { store throws(SystemError) in try store.service(name) }
    if case .found(let service) = found { return service }
    return nil
  }
}
