internal import Linux

extension DirectoryLeaseStore {
  /// Opens a store to give out addresses, and makes the directory if it is missing.
  ///
  /// - Parameters:
  ///   - path: the directory of one network.
  ///   - settings: how it is used.
  ///   - owner: who is to get an address, if that is known; the lease is on its way to the disk then
  ///     while the address is looked for.
  /// - Returns: the store, locked.
  /// - Throws: ``AllocationError``; `busy` when another process does not give way.
  public static func creating(
    _ path: String, settings: LeaseStoreSettings = LeaseStoreSettings(),
    for owner: LeaseOwner? = nil
  ) throws(AllocationError) -> DirectoryLeaseStore {
    do throws(SystemError) {
      if try File.status(of: path, followingLink: true) == nil { try Directory.create(path) }
    } catch {
      throw .store(error)
    }
    // Looked at first: to lock it makes a file, and must not make it behind somebody's link.
    let directory = try openSafely(path)
    let lock = try lock(path, settings)
    let draft = earlyDraft(for: owner, in: path)
    var store = try open(path, directory, settings, lock: lock)
    store.draft = draft
    return store
  }

  /// A draft before anything else, where it needs no name; nil otherwise, since a provisional name
  /// would go when the index is written for the first time.
  private static func earlyDraft(for owner: LeaseOwner?, in path: String) -> LeaseDraft? {
    guard let owner else { return nil }
    do throws(SystemError) {
      return try LeaseDraft(for: owner, in: path, sideDirectory: nil)
    } catch {
      // It is written when it is needed, and then the error is told.
      return nil
    }
  }

  /// Opens a store that is there; makes nothing, so that a full disk is no obstacle.
  ///
  /// - Parameters:
  ///   - path: the directory of one network.
  ///   - settings: how it is used.
  /// - Returns: the store, locked; nil when there is no such directory, and so no lease.
  /// - Throws: ``AllocationError``; `busy` when another process does not give way.
  public static func existing(
    _ path: String, settings: LeaseStoreSettings = LeaseStoreSettings()
  ) throws(AllocationError) -> DirectoryLeaseStore? {
    do throws(SystemError) {
      if try File.status(of: path, followingLink: true) == nil { return nil }
    } catch {
      throw .store(error)
    }
    let directory = try openSafely(path)
    return try open(path, directory, settings, lock: try lockIfPossible(path, settings))
  }

  private static func lock(
    _ path: String, _ settings: LeaseStoreSettings
  ) throws(AllocationError) -> FileLock {
    do throws(FileLockError) {
      // Upstream's mode.
      return try FileLock(at: "\(path)/lock", mode: 0o750, timeout: settings.lockTimeout)
    } catch {
      switch error {
      case .timedOut(let lock, let holder): throw .busy(lock: lock, holder: holder)
      case .system(let error): throw .store(error)
      }
    }
  }

  /// The lock; nil when there is no lock file and no room for one, so that nobody else has it.
  private static func lockIfPossible(
    _ path: String, _ settings: LeaseStoreSettings
  ) throws(AllocationError) -> FileLock? {
    do throws(AllocationError) {
      return try lock(path, settings)
    } catch {
      guard case .store(let cause) = error,
        [.noSpace, .quotaExceeded, .readOnly].contains(cause.errno)
      else { throw error }
      return nil
    }
  }

  private static func open(
    _ path: String, _ directory: consuming OwnedDescriptor, _ settings: LeaseStoreSettings,
    lock: consuming FileLock?
  ) throws(AllocationError) -> DirectoryLeaseStore {
    var store = DirectoryLeaseStore(
      path: path, directory: directory, boot: settings.boot ?? currentBoot(), lock: lock)
    do throws(SystemError) {
      try store.loadIndex()
      if settings.endsLeasesOfEarlierBoots { try store.endLeasesOfEarlierBoots() }
      return store
    } catch {
      throw .store(error)
    }
  }

  private static func currentBoot() -> BootStamp {
    do throws(SystemError) {
      return try BootStamp.current()
    } catch {
      // No /proc. The files are read each time then, and nothing counts as old.
      return .unknown
    }
  }

  /// Opens a directory that only root, or whoever we are, can change.
  private static func openSafely(_ path: String) throws(AllocationError) -> OwnedDescriptor {
    do throws(SystemError) {
      let directory = try Directory.open(path)
      if try isForUsAlone(try directory.status()) { return directory }
    } catch {
      throw .store(error)
    }
    throw .unsafe(directory: path)
  }

  private static func isForUsAlone(_ status: FileStatus) throws(SystemError) -> Bool {
    guard status.mode.rawValue & 0o002 == 0 else { return false }
    if status.owner == 0 { return true }
    return try File.status(of: "/proc/self", followingLink: true)?.owner == status.owner
  }

  /// Takes the index from its file if that still speaks of this directory in this boot.
  ///
  /// After a power cut parts of the file may be older than others; hence the boot.
  private mutating func loadIndex() throws(SystemError) {
    let stamp = StoreStamp(of: try directory.status())
    do throws(SystemError) {
      if let stored = try LeaseIndex.stored(at: "\(sideDirectory)/index") { index = stored }
    } catch {
      // None, or none that can be read; the files say the same.
      index = LeaseIndex(expecting: 0)
    }
    guard index.header.stamp == stamp, boot != .unknown, index.header.boot == boot.boot else {
      try rebuildIndex()
      // Written at once, for an operation that changes nothing does not settle.
      settle()
      return
    }
    isFresh = index.header.isFresh
  }
}
