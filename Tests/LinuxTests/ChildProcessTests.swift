import Linux
import TestSupport
import Testing

@Suite("A program that is run")
struct ChildProcessTests {
  private let environment = Environment(["PATH": "/usr/bin:/bin", "GREETING": "good day"])

  @Test("gets its input, its arguments and its variables, and is heard on both streams")
  func isFedAndHeard() throws {
    let ran = try shell(
      #"cat; printf '%s|%s' "$1" "$GREETING" >&2; exit 3"#, arguments: ["a b;c"],
      input: Array("question".utf8))
    #expect(ran.end == .exited(3))
    #expect(String(decoding: ran.output, as: UTF8.self) == "question")
    #expect(String(decoding: ran.diagnostics, as: UTF8.self) == "a b;c|good day")
  }

  @Test("may leave much input unread and say much on both streams at once")
  func doesNotDeadlock() throws {
    let ran = try shell(
      "head -c 100000 /dev/zero >&2; head -c 300000 /dev/zero",
      input: [UInt8](repeating: 65, count: 1_000_000))
    #expect(ran.output.count == 300_000)
    #expect(ran.diagnostics.count == 65536)
  }

  @Test("can open its input anew by name")
  func inputHasAName() throws {
    let ran = try shell("cat /dev/stdin", input: Array("again".utf8))
    #expect(ran.output == Array("again".utf8))
  }

  @Test("inherits no descriptor beyond its three streams")
  func inheritsNothing() throws {
    let ran = try ChildProcess.run(
      "/bin/ls", arguments: ["/proc/self/fd"], environment: environment)
    // The fourth is the one `ls` reads the directory by.
    #expect(String(decoding: ran.output, as: UTF8.self) == "0\n1\n2\n3\n")
  }

  @Test("that says too much is stopped")
  func outputLimit() {
    #expect(throws: SystemError(operation: "run", subject: "/bin/sh", errno: .fileTooBig)) {
      try shell("exec cat /dev/zero", limits: ChildProcess.Limits(output: 1000))
    }
  }

  @Test("that takes too long is stopped, even while it talks")
  func timeLimit() {
    let limits = ChildProcess.Limits(time: .milliseconds(50))
    #expect(throws: SystemError(operation: "run", subject: "/bin/sh", errno: .timedOut)) {
      try shell("exec sleep 60", limits: limits)
    }
    #expect(throws: SystemError(operation: "run", subject: "/bin/sh", errno: .timedOut)) {
      try shell("exec cat /dev/zero >&2", limits: limits)
    }
  }

  @Test("does not hold us up by what it leaves running")
  func leavesGrandchildren() throws {
    let directory = try TemporaryDirectory()
    let fifo = directory.path("fifo")
    // The reader of the FIFO keeps our pipes open until the writer comes, after the answer.
    let ran = try shell("mkfifo '\(fifo)'; cat '\(fifo)' & echo done")
    #expect(ran.output == Array("done\n".utf8))
    _ = try shell(": > '\(fifo)'")
  }

  @Test("that a signal ends is told so")
  func signals() throws {
    #expect(try shell("kill -TERM $$").end == .signalled(15))
  }

  @Test("meets a broken pipe as usual, whatever we ignore")
  func brokenPipeIsUsual() throws {
    let ran = try shell("yes | head -n 1; echo after")
    #expect(ran.output == Array("y\nafter\n".utf8))
  }

  @Test("that is missing or no program is told by its errno")
  func cannotStart() throws {
    let directory = try TemporaryDirectory()
    let text = try directory.write("text", "no program", mode: 0o755)
    let plain = try directory.write("plain", "#!/bin/sh\n", mode: 0o644)
    let cases: [(String, Errno)] = [
      (directory.path("none"), .noEntry), (text, .notExecutable), (plain, .accessDenied),
    ]
    for (path, errno) in cases {
      #expect(throws: SystemError(operation: "posix_spawn", subject: path, errno: errno)) {
        try ChildProcess.run(path, environment: environment)
      }
    }
  }

  @Test("is not started with a text the kernel would cut")
  func refusesNUL() {
    #expect(throws: SystemError(operation: "posix_spawn", subject: "/bin/sh", errno: .invalid)) {
      try shell("echo a\0b")
    }
  }

  @discardableResult
  private func shell(
    _ script: String, arguments: [String] = [], input: [UInt8] = [],
    limits: ChildProcess.Limits = ChildProcess.Limits()
  ) throws -> ChildProcess.Outcome {
    try ChildProcess.run(
      "/bin/sh", arguments: ["-c", script, "sh"] + arguments, environment: environment,
      input: input, limits: limits)
  }
}
