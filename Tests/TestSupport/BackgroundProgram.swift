internal import Glibc
public import Linux

/// A program that runs beside a test, in the namespace the thread stood in; killed when this value
/// goes.
public final class BackgroundProgram: Sendable {
  /// The number of its process.
  public let process: Int32
  /// The file that holds what it says, on both streams.
  public let log: String

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - executable: its path.
  ///   - arguments: what follows the path.
  ///   - log: the file for what it says; added to if it is there.
  /// - Throws: `SystemError`.
  public init(_ executable: String, _ arguments: [String], log: String) throws(SystemError) {
    // The shell makes it a child of nobody here, so there is nobody who must wait for it.
    let script = #"log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!"#
    let ran = try ChildProcess.run(
      "/bin/sh", arguments: ["-c", script, "sh", log, executable] + arguments,
      environment: .current())
    let text = String(decoding: ran.output, as: UTF8.self).filter(\.isNumber)
    guard let process = Int32(text) else {
      throw SystemError(operation: "start", subject: executable, errno: .noProcess)
    }
    self.process = process
    self.log = log
  }

  deinit {
    stop(SIGKILL)
  }

  /// Asks it to end, and waits until it has.
  public func end() { stop(SIGTERM) }

  /// Ends it at once.
  public func kill() { stop(SIGKILL) }

  /// What it has said so far.
  public func said() throws(SystemError) -> String {
    String(decoding: try File.readIfPresent(log, limit: 1 << 26) ?? [], as: UTF8.self)
  }

  /// Whether it still runs.
  public var isRunning: Bool {
    do throws(SystemError) {
      // One that has ended stays until somebody asks how.
      let status = try File.readIfPresent("/proc/\(process)/stat", limit: 4096) ?? []
      let words = String(decoding: status, as: UTF8.self).split(separator: " ")
      return words.count > 2 && words[2] != "Z"
    } catch {
      return false
    }
  }

  private func stop(_ signal: Int32) {
    _ = Glibc.kill(process, signal)
    _ = Patience.until(.seconds(10)) { !isRunning }
  }
}

/// Waiting for what others do.
public enum Patience {
  /// Asks again and again until the answer is yes.
  ///
  /// - Parameters:
  ///   - limit: how long at most.
  ///   - condition: what is waited for.
  /// - Returns: false when the time was over first.
  public static func until(_ limit: Duration, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicTime.now + limit
    while try !condition() {
      if MonotonicTime.now >= deadline { return false }
      MonotonicTime.sleep(for: .milliseconds(10))
    }
    return true
  }
}
