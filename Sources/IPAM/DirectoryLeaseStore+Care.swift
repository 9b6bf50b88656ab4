public import Linux

extension DirectoryLeaseStore {
  /// Shows that a lease could be written now, without leaving anything behind.
  ///
  /// - Throws: ``SystemError``: a disk that is full, read-only or broken.
  public func proveWritable() throws(SystemError) {
    try Directory.proveWritable(path)
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
