import Linux
import TestSupport
import Testing

@Suite("A kernel setting", .needsRoot)
struct SysctlTests {
  @Test("belongs to the namespace the thread stands in")
  func isOfTheNamespace() throws {
    let name = ["net", "ipv4", "ip_forward"]
    let outside = try Sysctl.read(name)
    let seen = try FreshNamespace.run {
      try Sysctl.write(name, "0")
      let before = try Sysctl.read(name)
      try Sysctl.write(name, "1")
      return [before, try Sysctl.read(name)]
    }
    #expect(seen == ["0", "1"])
    #expect(try Sysctl.read(name) == outside)
  }

  @Test("is written only where it differs")
  func writesWhenDifferent() throws {
    let name = ["net", "ipv6", "conf", "lo", "accept_ra"]
    let written = try FreshNamespace.run {
      try Sysctl.write(name, "1")
      return [
        try Sysctl.writeIfDifferent(name, "0"), try Sysctl.writeIfDifferent(name, "0"),
      ]
    }
    #expect(written == [true, false])
  }

  @Test(
    "whose name leads out of the settings is refused",
    arguments: [
      [], [""], ["..", "version"], ["net", "..", "..", "version"], ["net/ipv4", "ip_forward"],
    ])
  func refusesWaysOut(name: [String]) {
    #expect(throws: SystemError.self) { try Sysctl.read(name) }
  }

  @Test("the kernel does not have is told by ENOENT")
  func unknown() {
    #expect {
      try Sysctl.read(["net", "ipv4", "no_such_setting"])
    } throws: {
      ($0 as? SystemError)?.errno == .noEntry
    }
  }

  @Test("the kernel refuses stays as it was")
  func refusedText() throws {
    let name = ["net", "ipv4", "ip_default_ttl"]
    let after = try FreshNamespace.run {
      let before = try Sysctl.read(name)
      #expect {
        try Sysctl.write(name, "many")
      } throws: {
        ($0 as? SystemError)?.errno == .invalid
      }
      return [before, try Sysctl.read(name)]
    }
    #expect(after[0] == after[1])
  }
}
