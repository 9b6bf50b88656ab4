public import CNI
public import Linux

extension HostAndContainer {
  /// Keeps others out who allot things in the container's namespace, such as routing tables.
  ///
  /// Upstream's plugins take the same lock.
  ///
  /// - Returns: the lock, free again when it goes.
  /// - Throws: ``ProtocolError``, code 11, when somebody keeps it for a minute.
  public borrowing func lockContainer() throws(ProtocolError) -> FileLock {
    do throws(FileLockError) {
      return try FileLock(on: namespace, timeout: .seconds(60))
    } catch {
      switch error {
      case .system(let error): throw ProtocolError(error)
      case .timedOut: throw ProtocolError(.tryAgainLater, "\(error)")
      }
    }
  }
}
