import Linux
import TestSupport
import Testing

@Suite("A folder of settings", .needsRoot)
struct SysctlFolderTests {
  @Test("stays that of the namespace it was opened in")
  func keepsItsNamespace() throws {
    let there = try FreshNamespace()
    let before = try Sysctl.read(["net", "ipv4", "conf", "lo", "arp_notify"])
    let wanted = before == "0" ? "1" : "0"
    let folder = try there.namespace.run { () throws(SystemError) in
      try Sysctl.Folder(["net", "ipv4", "conf"])
    }
    try folder.write(["lo", "arp_notify"], wanted)
    #expect(try folder.read(["lo", "arp_notify"]) == wanted)
    let inside = try there.namespace.run { () throws(SystemError) in
      try Sysctl.read(["net", "ipv4", "conf", "lo", "arp_notify"])
    }
    #expect(inside == wanted)
    #expect(try Sysctl.read(["net", "ipv4", "conf", "lo", "arp_notify"]) == before)
  }

  @Test("knows interfaces that came after it was opened", arguments: ["late0", "late.0"])
  func seesNewInterfaces(name: String) throws {
    let there = try FreshNamespace()
    let folder = try there.namespace.run { () throws(SystemError) in
      try Sysctl.Folder(["net", "ipv4", "conf"])
    }
    let words = ["link", "add", name, "type", "veth", "peer", "name", "other"]
    try there.run {
      _ = try ChildProcess.run("/usr/sbin/ip", arguments: words, environment: Environment())
    }
    #expect(try folder.read([name, "arp_notify"]) == "0")
  }

  @Test("lets no name lead out of it", arguments: ["../all", "..", ".", "", "lo/arp_notify"])
  func staysInside(name: String) throws {
    let folder = try Sysctl.Folder(["net", "ipv4", "conf"])
    var failed = false
    do throws(SystemError) {
      _ = try folder.read([name, "arp_notify"])
    } catch {
      failed = true
    }
    #expect(failed)
  }
}
