import Mutation
import TestSupport

/// Something that goes wrong at one system call of a program.
struct Fault: Hashable, Sendable, CustomStringConvertible {
  /// The classes that are counted apart.
  enum Kind: String, CaseIterable, Sendable {
    case kill = "killed"
    case once = "one call fails"
    case sticky = "every call fails from one on"
    case short = "the kernel's answer is cut short"
  }

  let kind: Kind
  /// What the tracer is to do.
  let action: String
  let call: SystemCalls.Call

  var description: String { "\(kind.rawValue) (\(action)) at \(call.number): \(call.line)" }

  /// The tracer's words; the log shows whether it came to it.
  func wrapper(log: String) -> [String] {
    let number = call.number
    let when =
      switch kind {
      case .kill, .once, .short: "\(number)"
      // A signal's interruption is not for ever, however often it comes.
      case .sticky: action == "error=EINTR" ? "\(number)..\(number + 19)" : "\(number)+"
      }
    // Only calls that are shown can be tampered with; more of them would make the log longer.
    return SystemCalls.tamper(call, action, from: when, log: log) + ["-e", "trace=\(call.name)"]
  }

  /// Whether it may leave the program without a voice, so that it cannot say what is wrong.
  ///
  /// Memory that is refused ends a Swift program where it stands.
  var isMuting: Bool {
    switch call.name {
    case "mmap", "munmap", "brk", "mremap", "mprotect", "madvise": true
    case "write", "writev": kind == .sticky || call.line.hasPrefix("\(call.name)(1,")
    default: false
    }
  }

  /// Whether it may end the program by a signal: a failed allocation does, and nothing else.
  var isOfMemory: Bool { ["mmap", "brk", "mremap"].contains(call.name) }

  /// Whether it may keep the program in the wrong network namespace: it ends itself rather than to
  /// work there, with SIGABRT.
  var isOfNamespace: Bool { call.name == "setns" }

  private static let errors = [
    "ENOSPC", "EIO", "EROFS", "EMFILE", "EACCES", "ENOLCK", "ENOMEM", "EINTR", "EAGAIN", "EBUSY",
  ]

  /// Everything that is tried at some calls.
  static func all(at calls: SystemCalls) -> [Fault] {
    calls.calls.flatMap { call -> [Fault] in
      let kill = Fault(kind: .kill, action: "signal=KILL", call: call)
      // The end of a program cannot fail.
      if call.name == "exit_group" { return [kill] }
      let isMessage = ["sendmsg", "sendto", "recvmsg", "recvfrom"].contains(call.name)
      let errors = errors + (isMessage ? ["ENOBUFS"] : [])
      // Nothing; half a header; a header and a word.
      let lengths = call.name.hasPrefix("recv") ? [0, 8, 20] : []
      return [kill]
        + errors.map { Fault(kind: .once, action: "error=\($0)", call: call) }
        + errors.map { Fault(kind: .sticky, action: "error=\($0)", call: call) }
        + lengths.map { Fault(kind: .short, action: "retval=\($0)", call: call) }
    }
  }

  /// Some of everything, the same ones for the same seed; of each kind as many as it has a share.
  static func sample(_ all: [Fault], _ count: Int?, seed: UInt64) -> [Fault] {
    guard let count, count < all.count else { return all }
    var random = SeededRandom(seed: seed)
    let shares: [(Fault.Kind, Int)] = [
      (.kill, count * 3 / 10), (.once, count * 4 / 10), (.sticky, count * 2 / 10),
      (.short, count / 10),
    ]
    return shares.flatMap { kind, share in
      all.filter { $0.kind == kind }.shuffled(using: &random).prefix(max(share, 1))
    }
  }
}
