internal import CLinux
internal import Glibc

/// A program that has been started and must be waited for.
///
/// When this value goes before the program has ended, the program is killed: it would otherwise
/// work on with nobody to hear of it.
struct RunningChild: ~Copyable {
  private let identifier: Int32
  private let executable: String
  private var isReaped = false

  init(identifier: Int32, executable: String) {
    self.identifier = identifier
    self.executable = executable
  }

  deinit {
    guard !isReaped else { return }
    // Ours until waited for, so the number cannot have passed to another process.
    _ = kill(identifier, SIGKILL)
    var status: Int32 = 0
    while unsafe waitpid(identifier, &status, 0) == -1, Errno.current == .interrupted {}
  }

  /// Listens until the program has ended or broken a limit.
  mutating func collect(
    output: borrowing OwnedDescriptor, diagnostics: borrowing OwnedDescriptor,
    limits: ChildProcess.Limits
  ) throws(SystemError) -> ChildProcess.Outcome {
    let process = identifier
    // Watched beside the pipes, because something the program left running may keep those open.
    let ending = OwnedDescriptor(
      adopting: try Syscall.check("pidfd_open", executable) { pidfd_open(process, 0) })
    let deadline = limits.time.map { MonotonicTime.now + $0 }
    var heard = Listener(output.rawValue, limit: limits.output)
    var complaints = Listener(diagnostics.rawValue, limit: limits.diagnostics)
    var hasEnded = false
    while !hasEnded {
      var watched = [heard.pollEntry, complaints.pollEntry]
      watched.append(pollfd(fd: ending.rawValue, events: Int16(POLLIN), revents: 0))
      let patience = deadline.map { max(0, ($0 - .now).milliseconds) } ?? -1
      let ready = try Syscall.check("poll", executable) {
        unsafe poll(&watched, nfds_t(watched.count), Int32(clamping: patience))
      }
      hasEnded = watched[2].revents != 0
      // Asked by the clock, since a program that never stops talking keeps `poll` awake.
      let isLate = deadline.map { MonotonicTime.now >= $0 } ?? false
      if ready == 0 || (isLate && !hasEnded) { throw failure(.timedOut) }
      // Also after the end: what was written before it is still in the pipes.
      try heard.drain(executable)
      try complaints.drain(executable)
      if heard.hasOverflowed { throw failure(.fileTooBig) }
    }
    return ChildProcess.Outcome(
      end: try wait(), output: heard.bytes, diagnostics: complaints.bytes)
  }

  private mutating func wait() throws(SystemError) -> ChildProcess.End {
    let process = identifier
    var status: Int32 = 0
    try Syscall.check("waitpid", executable) { unsafe waitpid(process, &status, 0) }
    isReaped = true
    // As the macros WIFEXITED, WEXITSTATUS and WTERMSIG read it; Swift does not see macros.
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
  }

  private func failure(_ errno: Errno) -> SystemError {
    SystemError(operation: "run", subject: executable, errno: errno)
  }
}

/// One stream of a program, and what came out of it.
private struct Listener {
  private(set) var bytes: [UInt8] = []
  private(set) var hasOverflowed = false
  private let descriptor: Int32
  private let limit: Int
  private var isAtEnd = false

  init(_ descriptor: Int32, limit: Int) {
    self.descriptor = descriptor
    self.limit = limit
  }

  /// A negative descriptor is skipped by `poll`; a closed pipe would wake it for ever.
  var pollEntry: pollfd {
    pollfd(fd: isAtEnd ? -1 : descriptor, events: Int16(POLLIN), revents: 0)
  }

  /// Takes all that is there without waiting for more.
  mutating func drain(_ executable: String) throws(SystemError) {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let number = descriptor
    while !isAtEnd {
      let got: Int
      do throws(SystemError) {
        got = try Syscall.check("read", executable) {
          unsafe read(number, &chunk, chunk.count)
        }
      } catch {
        if error.errno == .tryAgain { return }
        throw error
      }
      if got == 0 { isAtEnd = true }
      let room = max(0, limit - bytes.count)
      bytes.append(contentsOf: chunk.prefix(min(got, room)))
      if got > room {
        hasOverflowed = true
        return
      }
    }
  }
}
