internal import CLinux
internal import Glibc

/// A one-way channel between processes, both ends closed on exec.
struct Pipe: ~Copyable {
  /// Where bytes come out; reading never waits.
  let reader: OwnedDescriptor
  /// Where bytes go in.
  let writer: OwnedDescriptor

  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try Syscall.check("pipe2") { unsafe pipe2(&ends, O_CLOEXEC) }
    let reader = OwnedDescriptor(adopting: ends[0])
    let writer = OwnedDescriptor(adopting: ends[1])
    // Only this end: the program at the other one expects a pipe that waits.
    let number = reader.rawValue
    try Syscall.check("fcntl F_SETFL") { fcntl(number, F_SETFL, O_NONBLOCK) }
    self.reader = reader
    self.writer = writer
  }

  /// Closes the end where bytes go in, so that the other end sees its users leave.
  consuming func keepReader() -> OwnedDescriptor {
    reader
  }
}
