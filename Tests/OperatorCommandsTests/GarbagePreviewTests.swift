import ArgumentParser
import CNI
import CNIRuntime
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("cnictl gc --dry-run")
struct GarbagePreviewTests {
  private static let limit =
    "not looked at: rules that other plugins than swift-cni's have made, and what is kept for the "
    + "network as a whole"

  /// A node whose list asks plugins for GC, with a dead pod that is remembered and one that is not.
  private func lab() throws -> DoctorLab {
    let lab = try DoctorLab()
    try lab.shell("sed -i 's/\"1.0.0\"/\"1.1.0\"/' $STATE/../net.d/10-pods.conflist")
    try lab.addAndLose("dead")
    try lab.addAndLose("lost")
    try lab.shell("rm $STATE/results/pods-lost-eth0")
    return lab
  }

  private func lines(_ lab: DoctorLab, _ words: String...) throws -> [String] {
    try lab.host.run { try lab.node.run(["gc", "pods"] + words) }
    return lab.node.output().split(separator: "\n").map(String.init)
  }

  @Test(
    "tells what GC frees then, remembered or not, and changes nothing", .needsRoot,
    .needsLinks(of: "ifb"))
  func tells() throws {
    let lab = try lab()
    let before = try lab.snapshot()
    let told = try lines(lab, "--dry-run")
    #expect(try lab.snapshot().difference(from: before) == [])
    try #require(told.count == 3, "\(told)")
    #expect(told[0] == "would remove eth0 of dead by DEL")
    #expect(told[1].hasPrefix("would free what is left of eth0 of lost: "))
    // The lease, the link it was limited by, its endpoint, and all tables.
    for part in [
      lab.state("networks/pods/10.213.0.5"), "(ifb)", "endpoint of services",
      "table inet swift_cni", "table bridge swift_cni",
    ] { #expect(told[1].contains(part), "\(part) in \(told[1])") }
    #expect(told[2] == Self.limit)
    #expect(lab.node.warnings() == [])

    #expect(try lines(lab) == ["removed eth0 of dead"])
    #expect(try lines(lab, "--dry-run") == ["nothing would be removed", Self.limit])
    #expect(try lab.found() == [])
  }

  @Test(
    "tells with --all of those that live, and of what nobody remembers that it is in use",
    .needsRoot, .needsLinks(of: "ifb"))
  func all() throws {
    let lab = try lab()
    try lab.shell("rm $STATE/results/pods-db-eth0")
    let told = try lines(lab, "--dry-run", "--all")
    #expect(
      Array(told.prefix(2)) == [
        "would remove eth0 of dead by DEL", "would remove eth0 of web by DEL",
      ])
    let living = try #require(told.first { $0.contains("eth0 of db: ") })
    #expect(living.contains("; but its interface is in use"))
    #expect(try lab.isMapped())
  }

  @Test("names what it cannot tell, and runs no plugin")
  func limits() throws {
    let node = try Node()
    try node.directory.write(
      "net.d/10-pods.conflist",
      """
      {"cniVersion": "1.1.0", "name": "pods", "plugins": [
        {"type": "fake", "ipam": {"type": "dhcp"}}, {"type": "portmap", "backend": "iptables"}]}
      """)
    try node.run(["gc", "--dry-run", "pods"])
    #expect(
      node.output().hasSuffix(
        "not looked at: what fake, dhcp, portmap by iptables may keep, "
          + Self.limit.dropFirst("not looked at: ".count)))
    try node.directory.write(
      "net.d/10-pods.conflist",
      #"{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "fake"}]}"#)
    try node.run(["gc", "--dry-run", "pods"])
    #expect(
      node.output().hasSuffix(
        "no plugin would be asked for what nobody remembers: the list is of version 1.0.0, and GC "
          + "came with 1.1.0"))
    try node.directory.write(
      "net.d/10-pods.conflist",
      #"{"cniVersion": "1.1.0", "disableGC": true, "name": "pods", "plugins": [{"type": "fake"}]}"#)
    try node.run(["gc", "--dry-run", "pods"])
    #expect(node.output() == "the list says \"disableGC\": nothing would be done")
    #expect(try node.log == [])
  }
}
