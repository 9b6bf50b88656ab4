import Linux
import TestSupport
import Testing

@Suite("A leak snapshot", .needsRoot)
struct LeakSnapshotTests {
  @Test("sees every kind of thing that can be left behind")
  func sees() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    let differences = try FreshNamespace.run {
      let before = try LeakSnapshot(directories: [path])
      try shell(
        """
        ip link add left type veth peer right; ip link set left up; ip link set right up
        ip addr add 192.0.2.1/24 dev left nodad; ip route add 198.51.100.0/24 via 192.0.2.2
        ip rule add from 203.0.113.0/24 table 100
        nft add table inet t; nft add set inet t s '{ type ipv4_addr; }'
        nft add element inet t s '{ 192.0.2.7, 192.0.2.8 }'
        mkdir \(path)/new; touch \(path)/new/file
        """)
      return try LeakSnapshot(directories: [path]).difference(from: before)
    }
    for wanted in [
      "+ link left@right", "+ address left inet 192.0.2.1/24",
      "+ route v4 198.51.100.0/24 via 192.0.2.2", "+ rule v4 32765: from 203.0.113.0/24",
      "+ nft table inet t", "+ directory \(path)/new", "+ file \(path)/new/file",
    ] {
      #expect(differences.contains { $0.hasPrefix(wanted) }, "\(wanted) in \(differences)")
    }
    for element in ["192.0.2.7", "192.0.2.8"] {
      #expect(differences.contains { $0.hasPrefix("+ nft ") && $0.contains(element) })
    }
  }

  @Test("is the same again after all has been removed")
  func isSteady() throws {
    let differences = try FreshNamespace.run {
      let before = try LeakSnapshot()
      try shell("ip link add left type veth peer right; ip link set left up; ip link del left")
      return try LeakSnapshot().difference(from: before)
    }
    #expect(differences == [])
  }

  private func shell(_ script: String) throws {
    let ran = try ChildProcess.run(
      "/bin/sh", arguments: ["-ec", script],
      environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]))
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
  }
}
