internal import Glibc

extension OwnedDescriptor {
  /// Takes what has come to a socket.
  ///
  /// - Parameter limit: the most bytes that are taken.
  /// - Returns: the bytes; nil when nothing has come yet.
  /// - Throws: ``SystemError`` of `recv`.
  borrowing func receive(limit: Int) throws(SystemError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    let number = rawValue
    do throws(SystemError) {
      let count = try Syscall.check("recv") { unsafe recv(number, &bytes, bytes.count, 0) }
      return Array(bytes.prefix(count))
    } catch  where error.errno == .tryAgain {
      return nil
    }
  }
}
