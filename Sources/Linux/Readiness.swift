internal import Glibc

/// Waits for many descriptors at once.
///
/// Kernel name: `poll`.
public enum Readiness {
  /// What is waited for at one descriptor.
  public struct Wish: Hashable, Sendable {
    /// The descriptor's number, which must stay open during the wait.
    public var descriptor: Int32
    /// Whether room to write is waited for as well as bytes to read.
    public var writing: Bool

    /// Bytes to read, or room to write as well.
    public init(_ descriptor: Int32, writing: Bool = false) {
      self.descriptor = descriptor
      self.writing = writing
    }
  }

  /// Waits until something can be done, or the time is up.
  ///
  /// A descriptor whose other end has left, or that is broken, counts as ready: the next call on
  /// it tells.
  ///
  /// - Parameters:
  ///   - wishes: what is waited for.
  ///   - timeout: how long to wait at most; for ever if nil.
  /// - Returns: the positions of the wishes that can be served; none when the time is up or a
  ///   signal has come.
  /// - Throws: ``SystemError``.
  public static func wait(
    for wishes: [Wish], timeout: Duration?
  ) throws(SystemError) -> [Int] {
    var polled = wishes.map { wish in
      pollfd(
        fd: wish.descriptor, events: Int16(wish.writing ? POLLIN | POLLOUT : POLLIN), revents: 0)
    }
    let time = timeout.map { Int32(clamping: max(.zero, $0).milliseconds) } ?? -1
    if unsafe poll(&polled, nfds_t(polled.count), time) == -1 {
      let errno = Errno.current
      if errno == .interrupted { return [] }
      throw SystemError(operation: "poll", subject: "", errno: errno)
    }
    return polled.indices.filter { polled[$0].revents != 0 }
  }
}
