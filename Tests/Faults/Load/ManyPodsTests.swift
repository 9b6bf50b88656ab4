import JSON
import Linux
import TestSupport
import Testing
import Witness

/// What an ADD and a DEL ask of the kernel, with nobody else on the node and with ten thousand pods.
///
/// Calls are counted and not timed: what is asked the same number of times, whatever the number of
/// pods, costs the same but for what the kernel itself does. Times are in the benchmark.
@Suite("A node with ten thousand pods", .needsRoot, .serialized, .endsWithinTheHour)
struct ManyPodsTests {
  @Test("is asked as little about the next pod as about the first one")
  func constantWork() async throws {
    try SystemCalls.requireTracer()
    let (few, many) = try await OwnMounts.run(emptying: ["/var/lib", "/run"]) {
      let lab = CountedCalls()
      let network = try PodNetwork(callers: 2, subnet: "10.1.0.0/16", program: lab.program)
      try lab.attach(network, "first")
      let few = try lab.least(network)
      try Self.populate(network, 10_000)
      // The first one makes the index anew, for it has not seen the others come.
      try lab.attach(network, "second")
      try lab.detach(network, "second")
      return (few, try lab.least(network))
    }
    for verb in [LoadCall.Verb.add, .delete] {
      let (first, last) = (try #require(few[verb]), try #require(many[verb]))
      #expect(first.messages > 3)
      #expect(last.messages == first.messages, "\(verb) netlink messages")
      // A larger index is read somewhere else, which is a page more or less.
      #expect(last.calls <= first.calls + 6, "\(verb) system calls: \(first.calls), \(last.calls)")
      try GateReport.tell(
        "\(verb.rawValue) of bridge, portmap and firewall beside 10 000 pods, for each", [],
        ours: GateFigures(
          tried: 1, failed: 0,
          others: [
            "system calls of the first pod": .integer(first.calls),
            "system calls": .integer(last.calls),
            "netlink messages of the first pod": .integer(first.messages),
            "netlink messages": .integer(last.messages),
          ]))
    }
  }

  /// Leases, masquerading, port mappings and filters of so many pods, as `nft list ruleset` shows
  /// them of one.
  private static func populate(_ network: PodNetwork, _ count: Int) throws {
    var elements: [String: [String]] = [:]
    for pod in 0..<count {
      let address = "10.1.\(1 + pod / 250).\(1 + pod % 250)"
      let owner = "\(0x1000_0000 + pod) . \(pod) . 7 . 7 . 0"
      let comment = "comment \"a4861f4ae9f7d238-\(pod), net: net, if: eth0, id: p\(pod)\""
      elements["masquerade_owners", default: []].append("\(owner) comment \"\(address)/16\"")
      elements["masquerade_v4", default: []].append("\(address) \(comment)")
      elements["own_subnet_v4_16", default: []].append("\(address) . 10.1.0.0")
      elements["portmap_owners", default: []].append(
        "\(owner) comment \"tcp,\(30_000 + pod),*,\(address)/16,80,\"")
      elements["port_sources_v4_8", default: []].append("127.0.0.0 . \(address) \(comment)")
      elements["port_sources_v4_16", default: []].append("10.1.0.0 . \(address) \(comment)")
      elements["ports_v4", default: []].append(
        "tcp . \(30_000 + pod) \(comment) : \(address) . 80")
      elements["firewall_owners", default: []].append("\(owner) comment \"\(address)\"")
      elements["firewall_v4", default: []].append("\(address) \(comment)")
      let file = try File.open("/var/lib/cni/networks/net/\(address)", for: .making)
      try file.write(Array("pod-\(pod)\r\neth0".utf8))
    }
    let text = elements.map { set, elements in
      "add element inet swift_cni \(set) { \(elements.joined(separator: ", ")) }\n"
    }.joined()
    try File.replace("/run/elements", with: Array(text.utf8), flushed: false)
    try network.shell("nft -f /run/elements")
    try File.remove("/run/elements")
    try #require(try network.elementCount() > count * 9)
  }
}
