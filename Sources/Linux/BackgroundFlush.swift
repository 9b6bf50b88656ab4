internal import CLinux
internal import Glibc

/// A flush of a file to its device, made by a helper process while this one goes on.
///
/// A flush takes as long as the device needs, a millisecond or ten, and nothing of this process.
/// Where there can be no helper, or where it dies, the flush is made by whoever waits for it, so that
/// the worst that can happen is to wait. The helper has nothing open but the file and the way back;
/// if nobody waits for it, it ends by itself.
///
/// Kernel name: `fsync`, in a process of `clone3`.
public final class BackgroundFlush: Sendable {
  private let file: OwnedDescriptor
  /// Where the helper tells how it went; nothing without a helper.
  private let answer: OwnedDescriptor?

  /// Starts to flush a file: its bytes, and all its names.
  public init(_ file: consuming OwnedDescriptor) {
    answer = Self.helper(for: file)
    self.file = file
  }

  deinit {
    cni_forget_senders()
  }

  private static func helper(for file: borrowing OwnedDescriptor) -> OwnedDescriptor? {
    do throws(SystemError) {
      var ends: [Int32] = [-1, -1]
      try Syscall.check("pipe2") { unsafe pipe2(&ends, O_CLOEXEC) }
      let reader = OwnedDescriptor(adopting: ends[0])
      let writer = OwnedDescriptor(adopting: ends[1])
      let number = file.rawValue
      try Syscall.check("clone3") { cni_flush_apart(number, writer.rawValue) }
      return reader
    } catch {
      // Then it is flushed where it is waited for.
      return nil
    }
  }

  /// Waits until the file is on its device.
  ///
  /// - Throws: ``SystemError`` when it may not be there: the device has failed, or is full.
  public func finish() throws(SystemError) {
    let subject = "descriptor \(file.rawValue)"
    guard let errno = try helperAnswer() else {
      let number = file.rawValue
      try Syscall.check("fsync", subject) { fsync(number) }
      return
    }
    if errno.rawValue != 0 {
      throw SystemError(operation: "fsync", subject: subject, errno: errno)
    }
  }

  /// What the helper tells; nil if there is no helper or if it has died.
  private func helperAnswer() throws(SystemError) -> Errno? {
    switch answer {
    case .none: return nil
    case .some(let answer):
      let number = answer.rawValue
      var byte: UInt8 = 0
      let count = try Syscall.check("read", "pipe") { unsafe read(number, &byte, 1) }
      return count == 1 ? Errno(rawValue: Int32(byte)) : nil
    }
  }
}
