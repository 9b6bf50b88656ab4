import JSON
import Linux
import TestSupport
import Testing

/// Not all kernels have the setting; without the module they are as one where it is off.
@Suite(
  "On a host whose bridges do not show packets to the packet filter, the plugin service", .needsRoot
)
struct BridgedPacketTests {
  @Test("tells of it at ADD, names the remedy, and lets the pod answer")
  func tells() throws {
    let lab = try ServiceChainLab()
    let pod = try lab.attach("one")
    try set(lab, "0")
    let outcome = try lab.lab.add(pod.network, pod.pod)
    try outcome.succeed()
    #expect(outcome.log.contains("load br_netfilter and set net.bridge.bridge-nf-call-iptables"))
    #expect(outcome.log.split(separator: "\n").count { $0.contains("br_netfilter") } == 1)
    #expect(try lab.endpointFiles().count == 1)

    // One family is enough where the pod has both; where all is as it should be, nothing is said.
    guard try set(lab, "1") else { return }
    let quiet = try lab.attach("two")
    #expect(try !lab.lab.add(quiet.network, quiet.pod).log.contains("br_netfilter"))
    try lab.lab.host.run {
      try Sysctl.write(["net", "bridge", "bridge-nf-call-ip6tables"], "0")
    }
    let half = try lab.attach("three")
    #expect(try lab.lab.add(half.network, half.pod).log.contains("br_netfilter"))
  }

  @Test("says nothing of a pod with a link of its own")
  func ptp() throws {
    let lab = try ServiceChainLab()
    try set(lab, "0")
    let pod = try Pod("alone")
    let added = try lab.lab.add(PairPlugin.ptp.network(in: lab.lab), pod)
    let network = try lab.lab.network("service", lab.keys).after(added)
    let outcome = try lab.lab.add(network, pod)
    try outcome.succeed()
    #expect(!outcome.log.contains("br_netfilter"), "\(outcome.log)")
  }

  /// Sets both families' setting; false where there is none.
  @discardableResult
  private func set(_ lab: ServiceChainLab, _ value: String) throws -> Bool {
    try lab.lab.host.run {
      guard try File.status(of: "/proc/sys/net/bridge/bridge-nf-call-iptables") != nil else {
        return false
      }
      for name in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
        try Sysctl.write(["net", "bridge", name], value)
      }
      return true
    }
  }
}
