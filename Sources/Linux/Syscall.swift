/// The one place where a -1 becomes a throw and an interrupted call is made again.
package enum Syscall {
  /// Makes a call that answers -1 when it fails.
  ///
  /// A call interrupted by a signal is made again. So this is not for `close`, which must never be
  /// repeated.
  ///
  /// - Parameters:
  ///   - operation: the call's name, for the error.
  ///   - subject: what it is called on; only built when the call fails.
  ///   - call: the call itself.
  /// - Returns: what the call answered.
  /// - Throws: ``SystemError`` with the `errno` the call left.
  @discardableResult
  package static func check<Answer: SignedInteger & FixedWidthInteger>(
    _ operation: String,
    _ subject: @autoclosure () -> String = "",
    _ call: () -> Answer
  ) throws(SystemError) -> Answer {
    while true {
      let answer = call()
      if answer != -1 { return answer }
      let errno = Errno.current
      if errno == .interrupted { continue }
      throw SystemError(operation: operation, subject: subject(), errno: errno)
    }
  }
}
