public import Linux

extension DirectoryLeaseStore {
  /// Shows that a lease could be written now, without leaving anything behind.
  ///
  /// - Throws: ``SystemError``: a disk that is full, read-only or broken.
  public func proveWritable() throws(SystemError) {
    try Self.proveWritable(path)
  }

  /// Shows that a store could be made where there is none yet, without making it.
  ///
  /// - Parameter path: where the directory would be.
  /// - Throws: ``SystemError`` as ``proveWritable()``.
  public static func proveCreatable(_ path: String) throws(SystemError) {
    var parts = path.split(separator: "/")
    while !parts.isEmpty {
      parts.removeLast()
      let ancestor = "/" + parts.joined(separator: "/")
      guard let status = try File.status(of: ancestor, followingLink: true) else { continue }
      guard status.kind == .directory else {
        throw SystemError(operation: "mkdir", subject: ancestor, errno: .notDirectory)
      }
      try proveWritable(ancestor)
      return
    }
  }

  private static func proveWritable(_ directory: String) throws(SystemError) {
    guard let owner = LeaseOwner(container: "probe", interface: "probe") else { return }
    do throws(SystemError) {
      // Without a name it is gone as soon as it is closed.
      _ = try LeaseDraft(for: owner, in: directory, sideDirectory: nil)
    } catch {
      // The file system has no unnamed files, so a proof would leave a trace. ADD will tell.
      guard [.notSupported, .isDirectory, .invalid].contains(error.errno) else { throw error }
    }
  }

  /// Removes the empty and torn files that plugins have left which died while writing.
  ///
  /// - Returns: how many there were.
  /// - Throws: ``SystemError`` when some may be left; the others are gone nevertheless.
  @discardableResult
  public mutating func removeTornFiles() throws(SystemError) -> Int {
    var count = 0
    var failure: SystemError?
    for name in try Directory.entries(of: path) where LeaseFile.address(named: name) != nil {
      do throws(SystemError) {
        guard case .torn = try LeaseFile.look(at: self.path(of: name)) else { continue }
        try File.remove(self.path(of: name))
        count += 1
      } catch {
        failure = failure ?? error
      }
    }
    if count > 0 {
      // Held by nobody, so the index says the right thing; only its stamp is old.
      try answer { index throws(SystemError) in try index.note { $0.isFresh = false } }
      settle()
    }
    if let failure { throw failure }
    return count
  }
}
