internal import CLinux
internal import Glibc

/// A program run to its end: started, fed, listened to, waited for.
///
/// There is no shell. The program gets three streams and nothing else that is open here. Its input
/// is a file in memory, so a program that does not read it holds up nobody.
public enum ChildProcess {
  /// How much a program may say, and how long it may take.
  public struct Limits: Hashable, Sendable {
    /// The most bytes of output; more is an error.
    public var output: Int
    /// The most bytes of diagnostics; the rest is dropped.
    public var diagnostics: Int
    /// The longest run; nil waits as long as it takes.
    public var time: Duration?

    /// Limits with values that suit a CNI plugin.
    public init(output: Int = 1 << 20, diagnostics: Int = 1 << 16, time: Duration? = nil) {
      self.output = output
      self.diagnostics = diagnostics
      self.time = time
    }
  }

  /// How a program ended.
  public enum End: Hashable, Sendable {
    /// By itself, with this code.
    case exited(Int32)
    /// By this signal.
    case signalled(Int32)
  }

  /// What a program left.
  public struct Outcome: Hashable, Sendable {
    /// How it ended.
    public let end: End
    /// What it wrote to standard output.
    public let output: [UInt8]
    /// What it wrote to standard error.
    public let diagnostics: [UInt8]

    /// Whether it ended by itself with code 0.
    public var isSuccess: Bool { end == .exited(0) }
  }

  /// Runs a program to its end.
  ///
  /// It starts in the thread's network namespace, with no signal blocked and `SIGPIPE` as usual.
  /// What it may have started itself is neither waited for nor killed.
  ///
  /// - Parameters:
  ///   - executable: its path; nothing is searched.
  ///   - arguments: what follows argument 0, which is the path.
  ///   - environment: all its variables.
  ///   - input: what it can read from standard input.
  ///   - limits: how much it may say, and how long it may take.
  /// - Returns: how it ended and what it wrote; a code other than 0 is not an error here.
  /// - Throws: ``SystemError``; `ETXTBSY` while the file is being written, `EFBIG` when it said too
  ///   much and `ETIMEDOUT` when it took too long, in which cases it has been killed.
  public static func run(
    _ executable: String, arguments: [String] = [], environment: Environment,
    input: [UInt8] = [], limits: Limits = Limits()
  ) throws(SystemError) -> Outcome {
    let stdin = try memoryFile(holding: input)
    let output = try Pipe()
    let diagnostics = try Pipe()
    let request = SpawnRequest(
      executable: executable, arguments: [executable] + arguments, environment: environment.pairs,
      streams: [stdin.rawValue, output.writer.rawValue, diagnostics.writer.rawValue])
    var child = RunningChild(identifier: try request.start(), executable: executable)
    // Our copies of the writing ends go, so that the streams end when the program's do.
    let outputReader = output.keepReader()
    let diagnosticsReader = diagnostics.keepReader()
    return try child.collect(
      output: outputReader, diagnostics: diagnosticsReader, limits: limits)
  }

  private static func memoryFile(holding bytes: [UInt8]) throws(SystemError) -> OwnedDescriptor {
    let number = try Syscall.check("memfd_create") {
      unsafe memfd_create("cni-input", UInt32(MFD_CLOEXEC))
    }
    let file = OwnedDescriptor(adopting: number)
    // At a place, so that the child, which shares the position, begins to read at 0.
    try file.write(bytes, at: 0)
    return file
  }
}
