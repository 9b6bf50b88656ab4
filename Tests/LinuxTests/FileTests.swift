import Linux
import TestSupport
import Testing

@Suite("A file")
struct FileTests {
  @Test("is read up to its limit and not beyond", arguments: [0, 1, 4095, 4096, 4097, 100_000])
  func readsToLimit(size: Int) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("file")
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
    try File.replace(path, with: bytes)
    #expect(try File.read(path, limit: size) == bytes)
    if size > 0 {
      #expect(throws: SystemError(operation: "read", subject: path, errno: .fileTooBig)) {
        try File.read(path, limit: size - 1)
      }
    }
  }

  @Test("that is not there is nil to one question and an error to the other")
  func missing() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("none")
    #expect(try File.readIfPresent(path, limit: 1) == nil)
    #expect(try File.status(of: path) == nil)
    #expect(try File.remove(path) == false)
    #expect(throws: SystemError(operation: "open", subject: path, errno: .noEntry)) {
      try File.read(path, limit: 1)
    }
  }

  @Test("behind a link is read only where that is allowed")
  func refusesLinks() throws {
    let directory = try TemporaryDirectory()
    let target = try directory.write("target", "content")
    let link = directory.path("link")
    try run("/bin/ln", ["-s", target, link])
    #expect(throws: SystemError(operation: "open", subject: link, errno: .link)) {
      try File.read(link, limit: 100)
    }
    #expect(try File.read(link, limit: 100, followingLink: true) == Array("content".utf8))
    #expect(try File.status(of: link)?.kind == .link)
  }

  @Test("is not a FIFO, which would make the reader wait")
  func refusesFIFOs() throws {
    let directory = try TemporaryDirectory()
    let fifo = directory.path("fifo")
    try run("/usr/bin/mkfifo", [fifo])
    #expect(throws: SystemError(operation: "open", subject: fifo, errno: .invalid)) {
      try File.read(fifo, limit: 100)
    }
  }

  @Test("is not a directory")
  func refusesDirectories() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    #expect(throws: SystemError(operation: "open", subject: path, errno: .isDirectory)) {
      try File.read(path, limit: 100)
    }
  }

  @Test("is replaced whole, with its mode, and leaves nothing beside it")
  func replaces() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("file")
    try File.replace(path, with: [1], mode: 0o644)
    let first = try File.status(of: path)
    try File.replace(path, with: [2, 3], mode: 0o600)
    let second = try File.status(of: path)
    #expect(try File.read(path, limit: 2) == [2, 3])
    #expect(first?.mode == 0o644)
    #expect(second?.mode == 0o600)
    #expect(first?.identity != second?.identity)
    #expect(try Directory.entries(of: directory.path) == ["file"])
  }

  @Test("is replaced through a draft, whatever a crash has left there")
  func replacedThroughDraft() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("file", "old")
    let draft = try directory.write("draft", "something much longer that is left")
    try File.replace(path, with: Array("new".utf8), draft: draft)
    #expect(try directory.text("file") == "new")
    #expect(try Directory.entries(of: directory.path) == ["file"])
  }

  @Test("that cannot be put in place leaves nothing beside it either")
  func failedReplaceCleansUp() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.path("file/inside"))
    #expect {
      try File.replace(directory.path("file"), with: [1])
    } throws: {
      ($0 as? SystemError)?.operation == "rename"
    }
    #expect(try Directory.entries(of: directory.path) == ["file"])
  }

  @Test("tells when it has changed, though its time of writing is set back")
  func changes() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("file", "some text")
    let before = try #require(try File.status(of: path))
    // In place, to the same length; once the clock has gone on.
    try Shell.run("sleep 0.02; touch -r \(path) \(path).time; printf 'some more' > \(path)")
    try Shell.run("touch -r \(path).time \(path)")
    let after = try #require(try File.status(of: path))
    #expect(after.identity == before.identity && after.size == before.size)
    #expect(after.modified == before.modified)
    #expect(after.changed > before.changed && before.changed >= before.modified)
  }

  @Test("takes the place of a link without touching what the link leads to")
  func replacesLinks() throws {
    let directory = try TemporaryDirectory()
    try directory.write("target", "old")
    try run("/bin/ln", ["-s", "target", directory.path("link")])
    try File.replace(directory.path("link"), with: Array("new".utf8))
    #expect(try directory.text("target") == "old")
    #expect(try directory.text("link") == "new")
  }

  @Test("is changed in place at any position")
  func changesInPlace() throws {
    let directory = try TemporaryDirectory()
    let file = try File.open(directory.path("file"), for: .updatingOrMaking)
    try file.write(Array("0123456789".utf8), at: 0)
    try file.write(Array("ab".utf8), at: 4)
    let middle = try file.read(4, at: 3)
    let end = try file.read(100, at: 8)
    #expect(middle == Array("3ab6".utf8))
    #expect(end == Array("89".utf8))
    try file.setLength(2)
    let size = try file.status().size
    #expect(size == 2)
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    let ran = try ChildProcess.run(program, arguments: arguments, environment: Environment())
    try #require(ran.isSuccess)
  }
}

@Suite("A directory")
struct DirectoryTests {
  @Test("tells whether it can be written, also before it is made, and leaves no trace of asking")
  func proof() throws {
    let directory = try TemporaryDirectory()
    try directory.write("file", "")
    for path in [directory.path, directory.path("a"), directory.path("a/b/c")] {
      try Directory.proveWritable(path)
    }
    #expect(try Directory.entries(of: directory.path) == ["file"])
    for path in [directory.path("file"), directory.path("file/a/b"), "/dev/null/networks"] {
      let error = #expect(throws: SystemError.self) { try Directory.proveWritable(path) }
      #expect(error?.errno == .notDirectory)
    }
    #expect(throws: SystemError.self) { try Directory.proveWritable("/proc/sys/nowhere") }
  }

  @Test("is made with those above it, and being there is no error")
  func creates() throws {
    let directory = try TemporaryDirectory()
    let deep = directory.path("a/b/c")
    try Directory.create(deep, mode: 0o700)
    try Directory.create(deep, mode: 0o700)
    try Directory.create(deep + "//", mode: 0o700)
    #expect(try File.status(of: deep)?.kind == .directory)
    #expect(try File.status(of: directory.path("a"))?.mode == 0o700)
  }

  @Test("is refused where a file has the name")
  func fileInTheWay() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("file", "")
    #expect(throws: SystemError(operation: "mkdir", subject: path, errno: .notDirectory)) {
      try Directory.create(path)
    }
  }

  @Test("lists its names by their bytes, up to a limit")
  func lists() throws {
    let directory = try TemporaryDirectory()
    for name in ["b", "a", "B", ".hidden", "ä"] { try directory.write(name, "") }
    #expect(try Directory.entries(of: directory.path) == [".hidden", "B", "a", "b", "ä"])
    #expect(throws: SystemError.self) { try Directory.entries(of: directory.path, limit: 4) }
  }

  @Test("shows the stamp it was given until its names change")
  func stamps() throws {
    let directory = try TemporaryDirectory()
    let stamp = FileStamp(seconds: 1_000_000_000, nanoseconds: 123_456_789)
    try Directory.setStamp(of: directory.path, to: stamp)
    #expect(try Directory.stamp(of: directory.path) == stamp)
    try directory.write("new", "")
    #expect(try Directory.stamp(of: directory.path) > stamp)
  }
}

@Suite("An unnamed file")
struct UnnamedFileTests {
  @Test("is seen by nobody until it is linked, and then is complete")
  func appearsWhole() throws {
    let directory = try TemporaryDirectory()
    let file = try UnnamedFile(in: directory.path, mode: 0o640)
    try file.descriptor.write(Array("all".utf8))
    #expect(try Directory.entries(of: directory.path) == [])
    try file.link(as: directory.path("name"))
    #expect(try directory.text("name") == "all")
    #expect(try File.status(of: directory.path("name"))?.mode == 0o640)
  }

  @Test("does not take a name that is taken")
  func refusesTakenNames() throws {
    let directory = try TemporaryDirectory()
    let taken = try directory.write("name", "first")
    let file = try UnnamedFile(in: directory.path)
    var caught: SystemError?
    do throws(SystemError) { try file.link(as: taken) } catch { caught = error }
    #expect(caught?.errno == .exists)
    #expect(try directory.text("name") == "first")
  }

  @Test("is as good with a provisional name, where the file system wants one")
  func provisionalName() throws {
    let directory = try TemporaryDirectory()
    let side = directory.path("side")
    try Directory.create(side)
    let taken = try directory.write("taken", "first")
    do {
      let file = try UnnamedFile(provisionallyNamedIn: side, mode: 0o640)
      try file.descriptor.write(Array("all".utf8))
      try file.link(as: directory.path("name"))
      var caught: SystemError?
      do throws(SystemError) { try file.link(as: taken) } catch { caught = error }
      #expect(caught?.errno == .exists)
    }
    #expect(try directory.text("name") == "all")
    #expect(try directory.text("taken") == "first")
    #expect(try File.status(of: directory.path("name"))?.mode == 0o640)
    #expect(try Directory.entries(of: side) == [])
  }

  @Test("leaves nothing when it is dropped")
  func leavesNothing() throws {
    let directory = try TemporaryDirectory()
    do {
      let file = try UnnamedFile(in: directory.path)
      try file.descriptor.write([1, 2, 3])
    }
    #expect(try Directory.entries(of: directory.path) == [])
  }
}
