internal import Linux

extension FileLock {
  /// Keeps other commands from doing the same on this node at the same time.
  ///
  /// - Parameters:
  ///   - name: the file's name.
  ///   - directory: where it is, made if need be.
  ///   - other: who has it, should it be taken.
  /// - Returns: the lock, held until it goes.
  /// - Throws: ``OperatorFailure`` when it cannot be had within half a minute.
  static func held(
    as name: String, in directory: String, against other: String
  ) throws -> FileLock {
    do {
      try Directory.create(directory)
      return try FileLock(at: "\(directory)/\(name)", timeout: .seconds(30))
    } catch {
      throw OperatorFailure("\(other) is at work on this node: \(error)")
    }
  }
}
