import Linux
import TestSupport
import Testing

@Suite("The environment")
struct EnvironmentTests {
  @Test("is what this process was started with")
  func isCurrent() throws {
    let raw = try File.read("/proc/self/environ", limit: 1 << 20)
    let environment = Environment.current()
    #expect(environment["PATH"] != nil)
    let path = raw.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      .first { $0.hasPrefix("PATH=") }
    #expect(path == environment["PATH"].map { "PATH=\($0)" })
  }

  @Test("is a value: changing a copy changes no process")
  func isAValue() {
    var copy = Environment.current()
    copy["CNI_TEST_VARIABLE"] = "x"
    #expect(Environment.current()["CNI_TEST_VARIABLE"] == nil)
  }

  @Test("is asked by whole names")
  func namesAreWhole() {
    // To Unicode the sign and the accent behind it are one character; to a name they are not.
    let accent = "\u{338}x"
    var environment = Environment(["CNI": "short", "CNI_ARGS": "a=b", "ODD": accent])
    #expect(environment["CNI"] == "short")
    #expect(environment["CNI_ARGS"] == "a=b")
    #expect(environment["ODD"]?.unicodeScalars.elementsEqual(accent.unicodeScalars) == true)
    #expect(environment["CNI_"] == nil)
    #expect(environment["NI"] == nil)
    environment["CNI"] = nil
    environment["NEW"] = ""
    #expect(environment["CNI"] == nil)
    #expect(environment["NEW"] == "")
  }
}

@Suite("An errno")
struct ErrnoTests {
  @Test("has its name and its sentence")
  func describes() {
    #expect(Errno.exists.description == "EEXIST (File exists)")
    #expect(Errno.noEntry.name == "ENOENT")
    #expect(Errno(rawValue: 9999).description == "errno 9999 (Unknown error)")
  }

  @Test("belongs to a call and its subject in an error")
  func inAnError() {
    let error = SystemError(operation: "open", subject: "/x", errno: .noEntry)
    #expect("\(error)" == "open /x: ENOENT (No such file or directory)")
  }
}

@Suite("A boot")
struct BootIDTests {
  @Test("has an ID of its own, and its machine may have one")
  func hasAnID() throws {
    let boot = try BootID.current()
    #expect(boot.utf8.count == 36)
    #expect(try BootID.current() == boot)
    let machine = try BootID.machine()
    #expect(machine == nil || machine?.utf8.count == 32)
  }
}
