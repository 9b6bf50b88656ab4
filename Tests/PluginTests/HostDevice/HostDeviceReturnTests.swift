import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The return of a host's device", .needsRoot)
struct HostDeviceReturnTests {
  @Test("waits until its name is free on the host; until then the pod keeps it")
  func nameTaken() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let before = try lab.picture()
    let pod = try Pod("one")
    let network = lab.hostDevice(["device": "eth7", "ipam": nil])
    try lab.add(network, pod).succeed()
    try lab.ip("link add eth7 type veth peer name eth9")
    let taken = try lab.picture()
    let inside = try pod.picture()
    let error = try lab.delete(network, pod).error
    #expect(error?.message.contains("the host has another link of that name") == true)
    try lab.expectUnchanged(since: taken)
    try pod.expectUnchanged(since: inside)
    try lab.ip("link del eth9")
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }

  @Test("goes by the configuration or asks for the name where the alias is lost")
  func aliasLost() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let before = try lab.picture()
    let pod = try Pod("one")
    let byAddress = lab.hostDevice(["hwaddr": "02:00:00:00:00:07"])
    let added = try lab.add(byAddress, pod)
    try pod.run {
      _ = try ChildProcess.run(
        "/usr/sbin/ip", arguments: ["link", "set", "eth0", "alias", ""], environment: .current())
    }
    #expect(try pod.link()?.alias == nil)
    let inside = try pod.picture()
    let error = try lab.delete(byAddress.after(added), pod).error
    #expect(
      error?.message.contains(
        "failed to find original ifname for \"eth0\" (alias is not set)") == true)
    #expect(try lab.leases() == [])
    try pod.expectUnchanged(since: inside)
    try lab.delete(lab.hostDevice().after(added), pod).succeed()
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }

  /// Where `CNI_NETNS` may lead.
  enum Path: CaseIterable, Sendable { case absent, empty, gone, otherPod, foreignLink }

  @Test("takes nobody else's device, wherever CNI_NETNS leads", arguments: Path.allCases)
  func wherever(_ path: Path) throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    try lab.ip("link add eth5 type veth peer name eth6")
    let other = try Pod("other")
    if path == .foreignLink {
      try other.ip("link add eth0 type veth peer name eth1")
    } else {
      try lab.add(lab.hostDevice(["device": "eth5", "name": "other"]), other).succeed()
    }
    let before = try lab.picture().filter { !$0.hasPrefix("link eth7 ") }
    let theirs = try other.picture()
    var call: PluginCall
    do {
      let pod = try Pod("one")
      call = lab.call(lab.hostDevice(), pod)
      try lab.ask("ADD", call).succeed()
    }
    switch path {
    case .absent: call.namespace = nil
    case .empty: call.namespace = ""
    case .gone: call.namespace = lab.state.path("nowhere")
    case .otherPod, .foreignLink: call.namespace = other.path
    }
    for _ in 1...2 { try lab.ask("DEL", call).succeed() }
    let after = try lab.picture().filter { !$0.hasPrefix("link eth7 ") }
    #expect(Witness.difference(from: before, to: after) == [])
    try other.expectUnchanged(since: theirs)
    _ = outside.path
  }

  @Test("comes with a failed ADD: under its name, switched on if it was")
  func failedAdd() throws {
    for isUp in [true, false] {
      let lab = try PluginLab()
      let outside = try lab.device()
      try lab.ip("link set eth7 \(isUp ? "up" : "down") alias uplink")
      let before = try lab.picture()
      let pod = try Pod("one")
      let untouched = try pod.picture()
      try lab.write(
        plugin: "fake",
        #"test $CNI_COMMAND != ADD || { echo '{"code": 123, "msg": "no"}'; exit 1; }"#)
      let network = lab.hostDevice(["device": "eth7", "ipam": ["type": "fake"]])
      #expect(try lab.add(network, pod).error?.message == "no")
      try lab.expectUnchanged(since: before)
      try pod.expectUnchanged(since: untouched)
      _ = outside.path
    }
  }

  @Test("comes with its addresses and routes after a failed ADD, whoever gave them for how long")
  func failedAddOfUplink() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    for line in [
      "link set eth7 up", "address add 10.1.2.7/24 dev eth7 valid_lft 3000 preferred_lft 2000",
      "address add 10.1.2.8/24 dev eth7 label eth7:0", "address add fd00:1::7/64 dev eth7 nodad",
      "route add default via 10.1.2.1 metric 50 mtu 1400",
      "route add 10.9.0.0/16 via 10.1.2.1 dev eth7 table 77 proto 99",
      "route add 10.8.0.0/16 dev eth7 src 10.1.2.8",
      "-6 route add default via fd00:1::1 hoplimit 9",
      "rule add from 10.9.0.0/16 table 77",
    ] { try lab.ip(line) }
    var before = try lab.addressesAndRoutes()
    // The link's own address is there for good when nobody else has it.
    let isSettled = try Patience.until(.seconds(60)) {
      before = try lab.addressesAndRoutes()
      return before.contains { $0.hasPrefix("local fe80:") }
    }
    #expect(isSettled && before.contains { $0.contains("hoplimit 9") })
    let pod = try Pod("one")
    try lab.write(
      plugin: "fake",
      #"test $CNI_COMMAND != ADD || { echo '{"code": 123, "msg": "no"}'; exit 1; }"#)
    let network = lab.hostDevice(["device": "eth7", "ipam": ["type": "fake"]])
    #expect(try lab.add(network, pod).error?.message == "no")
    // Routes come and go with the carrier, which the kernel notices a moment later.
    var difference: Set<String> = []
    _ = try Patience.until(.seconds(60)) {
      difference = try lab.addressesAndRoutes().symmetricDifference(before)
      return difference.isEmpty
    }
    #expect(difference == [])
    _ = outside.path
  }

  @Test("is not needed where the pod has an interface of that name: the device never leaves")
  func podNameTaken() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    try lab.ip("link set eth7 up")
    let before = try lab.picture()
    let pod = try Pod("one")
    try pod.ip("link add eth0 type veth peer name eth1")
    let untouched = try pod.picture()
    let error = try lab.add(lab.hostDevice(), pod).error
    #expect(error?.message.hasPrefix("failed to move link \"eth7\"") == true)
    // The runtime's DEL after it takes nothing either.
    try lab.delete(lab.hostDevice(), pod).succeed()
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  static let refusals = [
    Refusal(
      keys: [:], says: "specify either \"device\", \"hwaddr\", \"kernelpath\" or \"pciBusID\""),
    Refusal(keys: ["device": "eth/7"], says: "device"),
    Refusal(keys: ["device": 7], says: "device"),
    Refusal(keys: ["device": "nowhere"], says: "failed to find host device: look up link nowhere"),
    Refusal(keys: ["device": "lo"], says: "failed to move link \"lo\""),
    Refusal(keys: ["hwaddr": "garbage"], says: "failed to parse MAC address \"garbage\""),
    Refusal(keys: ["hwaddr": "02:00:00:00:00:99"], says: "failed to find physical interface"),
    Refusal(
      keys: ["kernelpath": "/etc/passwd"],
      says: "kernel device path \"/etc/passwd\" must be absolute and begin with /sys/devices/"),
    Refusal(keys: ["kernelpath": "/sys/devices/../../etc"], says: "must be absolute"),
    Refusal(keys: ["kernelpath": "/sys/devices/no-such"], says: "failed to read directory"),
    Refusal(keys: ["pciBusID": "../../net"], says: "pciBusID: \"../../net\" cannot be a device"),
    Refusal(keys: ["pciBusID": ".."], says: "pciBusID"),
    Refusal(keys: ["pciBusID": "0000:ff:ff.7"], says: "PCI device 0000:ff:ff.7 has no driver"),
    Refusal(
      keys: ["runtimeConfig": ["deviceID": "../x"]], says: "runtimeConfig.deviceID: \"../x\""),
    Refusal(
      keys: ["runtimeConfig": ["deviceID": "0000:ff:ff.7"]],
      says: "runtime config DeviceID 0000:ff:ff.7 not found or unsupported"),
  ]

  @Test("is not needed after a refusal", arguments: refusals)
  func refused(_ refusal: Refusal) throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let network = lab.hostDevice(refusal.keys)
    let error = try lab.add(network, pod).error
    #expect(error?.message.contains(refusal.says) == true, "\(error?.message ?? "none")")
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("is done by ours for upstream, and by upstream for ours", .needsUpstream)
  func upstream() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let before = try lab.picture()
    let network = lab.hostDevice().with(["cniVersion": "1.0.0"])
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let theirs = try lab.askUpstream("ADD", network, pod)
    try lab.check(network.after(theirs), pod).succeed()
    try lab.delete(network.after(theirs), pod).succeed()
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    let ours = try lab.add(network, pod)
    try lab.askUpstream("DEL", try network.after(ours), pod).succeed()
    // Version 1.1.1 leaves the alias as it is.
    _ = try lab.host.run {
      try ChildProcess.run(
        "/usr/sbin/ip", arguments: ["link", "set", "eth7", "alias", ""], environment: .current())
    }
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("says at STATUS what ADD would miss, and not that the device is lent")
  func status() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let network = lab.hostDevice()
    try lab.askNetwork("STATUS", network).succeed()
    try lab.add(network, try Pod("one")).succeed()
    try lab.askNetwork("STATUS", network).succeed()
    let missing = try lab.askNetwork("STATUS", network.with(["ipam": ["type": "nowhere"]])).error
    #expect(missing?.code == .notReady)
    #expect(
      try lab.askNetwork("STATUS", network.with(["device": nil])).error?.code
        == .invalidConfiguration)
    _ = outside.path
  }
}

extension PluginLab {
  /// What `ip` shows of the device's addresses and of all routes, but for what passes by itself.
  fileprivate func addressesAndRoutes() throws -> Set<String> {
    var lines: Set<String> = []
    for question in [
      ["-o", "address", "show", "dev", "eth7"], ["-4", "route", "show", "table", "all"],
      ["-6", "route", "show", "table", "all"],
    ] {
      let shown = try host.run {
        try ChildProcess.run("/usr/sbin/ip", arguments: question, environment: .current())
      }
      for line in String(decoding: shown.output, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ").filter { $0 != "tentative" }
        // Seconds that are left: that there is an end, not when.
        lines.insert(words.map { $0.hasSuffix("sec") ? "seconds" : $0 }.joined(separator: " "))
      }
    }
    return lines
  }
}
