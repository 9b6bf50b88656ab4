import Linux
import TestSupport
import Testing

@Suite("A lock on a file")
struct FileLockTests {
  @Test("is held by one at a time, and a wait that ends in vain names the holder")
  func namesTheHolder() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("lock")
    let error = try #require(
      try withLock(path) { () -> FileLockError? in
        refusal(path, timeout: .milliseconds(20))
      })
    guard case .timedOut(path, let holder) = error else {
      Issue.record("\(error)")
      return
    }
    let comm = try File.read("/proc/self/comm", limit: 100)
    let command = String(decoding: comm.dropLast(), as: UTF8.self)
    #expect(holder.hasPrefix("process ") && holder.hasSuffix("(\(command))"))
  }

  @Test("on a namespace is one lock, whichever way leads there", .needsRoot)
  func namespace() throws {
    let fresh = try FreshNamespace()
    let other = try FreshNamespace()
    func isFree(_ path: String) throws -> Bool {
      let namespace = try NetworkNamespace(path: path)
      do throws(FileLockError) {
        _ = try FileLock(on: namespace, timeout: .zero)
        return true
      } catch {
        guard case .timedOut(path, let holder) = error else { throw error }
        #expect(holder.hasPrefix("process "))
        return false
      }
    }
    do {
      let held = try FileLock(on: fresh.namespace, timeout: .zero)
      #expect(try !isFree(fresh.path))
      #expect(try isFree(other.path))
      _ = consume held
    }
    #expect(try isFree(fresh.path))
  }

  @Test("does not wait at all when told not to")
  func refusesAtOnce() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("lock")
    let error = try withLock(path) { refusal(path, timeout: .zero) }
    #expect(error != nil)
  }

  @Test("is free again after its holder, and its file stays")
  func isReleased() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("lock")
    try withLock(path) {}
    try withLock(path) {}
    #expect(try Directory.entries(of: directory.path) == ["lock"])
  }

  @Test("lets those who wait in one after the other")
  func excludes() async throws {
    let directory = try TemporaryDirectory()
    let lock = directory.path("lock")
    let counter = try directory.write("counter", "0")
    try await withThrowingTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<25 {
            let held = try FileLock(at: lock, timeout: .seconds(60))
            let text = String(decoding: try File.read(counter, limit: 20), as: UTF8.self)
            let next = try #require(Int(text)) + 1
            try File.replace(counter, with: Array("\(next)".utf8), flushed: false)
            _ = consume held
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try directory.text("counter") == "200")
  }

  @Test("is not taken through a link")
  func refusesLinks() throws {
    let directory = try TemporaryDirectory()
    let link = directory.path("lock")
    let target = directory.path("elsewhere")
    _ = try ChildProcess.run(
      "/bin/ln", arguments: ["-s", target, link], environment: Environment())
    #expect(
      refusal(link, timeout: .zero)
        == .system(SystemError(operation: "open", subject: link, errno: .link)))
    #expect(try File.status(of: target) == nil)
  }

  private func withLock<T>(_ path: String, _ body: () throws -> T) throws -> T {
    let lock = try FileLock(at: path, timeout: .seconds(60))
    return try withExtendedLifetime(lock) { try body() }
  }

  private func refusal(_ path: String, timeout: Duration) -> FileLockError? {
    do throws(FileLockError) {
      _ = try FileLock(at: path, timeout: timeout)
      return nil
    } catch {
      return error
    }
  }
}
