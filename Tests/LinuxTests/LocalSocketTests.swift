import Linux
import TestSupport
import Testing

@Suite("A socket in the file system")
struct LocalSocketTests {
  @Test("belongs to its owner alone, and carries bytes both ways until one side ends")
  func conversation() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("door")
    let listener = try LocalListener(at: path)
    #expect(try File.status(of: path)?.mode == 0o600)
    #expect(try listener.accept() == nil)
    #expect(try Readiness.wait(for: [listener.readiness], timeout: .zero) == [])

    let caller = try LocalConnection(to: path)
    #expect(try Readiness.wait(for: [listener.readiness], timeout: .seconds(60)) == [0])
    guard let called = try listener.accept() else {
      Issue.record("nobody has connected")
      return
    }
    #expect(try called.peerUser() == File.status(of: directory.path)?.owner)
    #expect(try called.receive(limit: 10) == nil)
    #expect(try caller.send([1, 2, 3]) == 3)
    #expect(try called.receive(limit: 2) == [1, 2])
    #expect(try called.receive(limit: 2) == [3])
    #expect(try called.send([4]) == 1)
    #expect(try caller.receive(limit: 10) == [4])

    // More than the kernel takes at once is taken in part.
    var sent = 0
    while true {
      let count = try called.send([UInt8](repeating: 0, count: 100_000)[...])
      if count == 0 { break }
      sent += count
    }
    #expect(sent > 0)

    do {
      let passer = try LocalConnection(to: path)
      #expect(try passer.send([5]) == 1)
    }
    let passed = try listener.accept()
    #expect(try passed?.receive(limit: 10) == [5])
    #expect(try passed?.receive(limit: 10) == [])
  }

  @Test("that a dead process has left is replaced; one in use, and a file, are not")
  func abandoned() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("door")
    do { _ = try LocalListener(at: path) }
    #expect(throws: SystemError.self) { _ = try LocalConnection(to: path) }
    let heir = try LocalListener(at: path)
    #expect(refusal { _ = try LocalListener(at: path) } == .addressInUse)
    let caller = try LocalConnection(to: path)
    #expect(try caller.send([1]) == 1)
    #expect(try heir.accept() != nil)

    let file = try directory.write("file", "text")
    #expect(refusal { _ = try LocalListener(at: file) } != nil)
    #expect(try directory.text("file") == "text")
    #expect(
      refusal { _ = try LocalListener(at: "/" + String(repeating: "x", count: 108)) }
        == .nameTooLong)
    #expect(refusal { _ = try LocalConnection(to: directory.path("nobody")) } == .noEntry)
  }

  private func refusal(_ body: () throws -> Void) -> Errno? {
    do {
      try body()
      return nil
    } catch {
      return (error as? SystemError)?.errno
    }
  }
}
