import Linux
import TestSupport
import Testing

@Suite("A program that a test puts in place")
struct ProgramFileTests {
  @Test("is ready when nobody has it open for writing any more")
  func awaitsWriters() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("program")
    try ProgramFile.copy("/bin/true", to: path, names: ["another"])
    do {
      let writer = try File.open(path, for: .updating)
      #expect(throws: SystemError(operation: "posix_spawn", subject: path, errno: .textFileBusy)) {
        try ChildProcess.run(path, environment: Environment())
      }
      #expect(
        throws: SystemError(operation: "wait for writers", subject: path, errno: .textFileBusy)
      ) {
        try ProgramFile.awaitWriters(of: path, patience: .milliseconds(1))
      }
      _ = writer.rawValue
    }
    try ProgramFile.awaitWriters(of: path)
    #expect(try ChildProcess.run(directory.path("another"), environment: Environment()).isSuccess)
  }

  @Test("is started at once while other threads start programs")
  func standsBesideOthers() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask {
          try await OwnThread.run {
            let directory = try TemporaryDirectory()
            for number in 0..<40 {
              let path = try directory.write("\(number)", "#!/bin/sh\n", mode: 0o755)
              guard try ChildProcess.run(path, environment: Environment()).isSuccess else {
                throw SystemError(operation: "run", subject: path, errno: .invalid)
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
