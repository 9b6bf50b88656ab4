internal import CLinux

/// A send that the kernel takes long to come back from, made by a helper process.
///
/// The helper has nothing open but the socket, so that nobody waits for a stream that it holds, and
/// does nothing but this one call. What the kernel answers lies in the socket, for whoever reads it
/// first. When this value goes while the helper is still at work, the helper works on, and is in the
/// end waited for by this process's next such value or, when this process ends before, by init.
///
/// Kernel name: `clone3` with `CLONE_PIDFD` and without a signal at the end.
public struct BackgroundSend: ~Copyable {
  /// Can be read when the helper has ended.
  private let ending: OwnedDescriptor

  /// Starts the helper.
  ///
  /// - Parameters:
  ///   - bytes: what is sent, as one datagram.
  ///   - socket: the number of the socket's descriptor.
  /// - Throws: ``SystemError``, as a rule `EAGAIN` or `ENOMEM`, when there can be no helper; then
  ///   nothing has been sent.
  public init(_ bytes: [UInt8], through socket: Int32) throws(SystemError) {
    ending = OwnedDescriptor(
      adopting: try Syscall.check("clone3") {
        unsafe bytes.withUnsafeBytes { bytes in
          unsafe cni_send_apart(socket, bytes.baseAddress, UInt(bytes.count))
        }
      })
  }

  deinit {
    cni_forget_senders()
  }

  /// The end of the helper, whatever has become of the send.
  public var end: Readiness.Wish { Readiness.Wish(ending.rawValue) }
}
