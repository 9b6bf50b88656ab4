import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("tap", .needsRoot)
struct TapTests {
  /// A network with addresses of both families, or of layer 2 alone.
  static func network(_ lab: PluginLab, _ keys: JSONObject = [:], isPlain: Bool = false)
    -> TestNetwork
  {
    let ipam = lab.hostLocal(
      "10.1.2.0/24", "fd00:1::/64",
      keys: ["routes": [["dst": "0.0.0.0/0"], ["dst": "::/0"]]])
    return lab.network("tap", keys, ipam: isPlain ? nil : ipam)
  }

  @Test("gives the pod a device with addresses, and DEL takes it away")
  func addresses() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = Self.network(
      lab, ["mtu": 1400, "mac": "02:00:00:00:00:99", "dns": ["nameservers": ["192.0.2.99"]]])
    let (host, before) = (try lab.picture(), try pod.picture())
    let added = try lab.add(network, pod)
    let result = try added.result()
    let link = try #require(try pod.link())
    #expect(link.kind == "tun")
    #expect(link.isUp)
    #expect(link.mtu == 1400)
    #expect(link.hardwareAddress == "02:00:00:00:00:99")
    #expect(link.alias == "swift-cni:net/one/eth0")
    #expect(result.dns.nameservers == ["192.0.2.99"])
    #expect(result.interfaces.map(\.name) == ["eth0"])
    #expect(result.interfaces.map(\.hardwareAddressText) == ["02:00:00:00:00:99"])
    #expect(result.interfaces.map(\.mtu) == [1400])
    #expect(result.interfaces.map(\.sandbox) == [pod.path])
    #expect(result.addresses.map(\.interface) == [0, 0])
    #expect(try pod.addresses().sorted() == ["10.1.2.2/24", "fd00:1::2/64"])
    #expect(try pod.routes().contains("0.0.0.0/0 via 10.1.2.1"))
    #expect(try pod.routes().contains("::/0 via fd00:1::1"))
    try lab.check(network.after(added), pod).succeed()
    for _ in 1...3 { try lab.delete(network, pod).succeed() }
    try lab.expectUnchanged(since: host)
    try pod.expectUnchanged(since: before)
  }

  /// Keys, and the device that they make.
  struct Case: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    var owner: UInt32?
    var group: UInt32?
    var hasManyQueues = false
    var testDescription: String { JSONWriter.text(.object(keys)) }
  }

  static let cases = [
    Case(keys: [:]), Case(keys: ["multiQueue": true], hasManyQueues: true),
    Case(keys: ["owner": 107], owner: 107), Case(keys: ["group": 0], group: 0),
    Case(
      keys: ["owner": 0, "group": 108, "MultiQueue": true], owner: 0, group: 108,
      hasManyQueues: true),
  ]

  @Test("makes the device for whom the configuration says, with MTU and MAC", arguments: cases)
  func device(_ example: Case) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let before = try pod.picture()
    let network = Self.network(lab, ["mtu": 1280, "mac": "02:00:00:00:00:98"], isPlain: true)
      .with(example.keys)
    let added = try lab.add(network, pod)
    try added.succeed()
    let link = try #require(try pod.link())
    #expect(link.isUp)
    #expect(link.mtu == 1280)
    #expect(link.hardwareAddress == "02:00:00:00:00:98")
    let tap = try #require(link.tap)
    #expect(tap.isTap)
    #expect(tap.isPersistent)
    #expect(tap.hasVirtualHeader)
    #expect(!tap.hasPacketInformation)
    #expect(tap.hasManyQueues == example.hasManyQueues)
    #expect([tap.owner, tap.group] == [example.owner, example.group])
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try pod.expectUnchanged(since: before)
  }

  @Test("makes the device a port of a bridge in the pod")
  func bridge() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try pod.ip("link add br0 type bridge")
    let network = Self.network(lab, ["bridge": "br0"], isPlain: true)
    let added = try lab.add(network, pod)
    try added.succeed()
    let bridge = try pod.run { try Witness.link(named: "br0") }
    #expect(try pod.link()?.master == bridge?.index)
    try lab.check(network.after(added), pod).succeed()
    try pod.ip("link set eth0 nomaster")
    #expect(
      try lab.check(network.after(added), pod).error?.message
        == "tap: eth0 is not a port of bridge br0")
    try lab.delete(network, pod).succeed()
    #expect(try pod.link() == nil)
  }

  @Test("takes the hardware address from the place that goes before the others")
  func hardwareAddress() throws {
    let lab = try PluginLab()
    var network = Self.network(lab, ["mac": "02:00:00:00:00:01"], isPlain: true)
    func address() throws -> String? {
      let pod = try Pod("one")
      try lab.add(network, pod).succeed()
      return try pod.link()?.hardwareAddress
    }
    #expect(try address() == "02:00:00:00:00:01")
    network = network.with(arguments: "IgnoreUnknown=1;MAC=02:00:00:00:00:02")
    #expect(try address() == "02:00:00:00:00:02")
    network = network.with(["runtimeConfig": ["mac": "02:00:00:00:00:03"]])
    #expect(try address() == "02:00:00:00:00:03")
    network = Self.network(lab, isPlain: true)
    // Without a wish the same attachment gets the same address.
    #expect(try address() == address())
  }

  @Test("lets a program in the pod speak by the device")
  func traffic() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try lab.add(Self.network(lab), pod).succeed()
    // QEMU would do the same: attach, and read what the pod sends to its neighbour.
    let script = """
      import fcntl, os, struct, subprocess
      tap = os.open('/dev/net/tun', os.O_RDWR)
      fcntl.ioctl(tap, 0x400454ca, struct.pack('16sH22x', b'eth0', 0x0002 | 0x1000))
      child = subprocess.Popen(['ping', '-c', '9', '-W', '1', '10.1.2.77'], stdout=subprocess.DEVNULL)
      while True:
        frame = os.read(tap, 2048)
        if frame[12:14] == bytes([8, 6]) and frame[38:42] == bytes([10, 1, 2, 77]): break
      print('heard')
      child.wait()
      """
    let ran = try pod.run {
      try ChildProcess.run(
        "/usr/bin/python3", arguments: ["-c", script], environment: .current(),
        limits: ChildProcess.Limits(time: .seconds(60)))
    }
    #expect(String(decoding: ran.output, as: UTF8.self) == "heard\n")
    try lab.delete(Self.network(lab), pod).succeed()
    #expect(try lab.leases() == [])
  }

  @Test(
    "answers in the version of the configuration",
    arguments: ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = Self.network(lab, ["cniVersion": .string(version)])
    let document = try lab.add(network, pod).document()
    #expect(document["cniVersion"] == .string(version))
    #expect(try pod.addresses().count == 2)
    try lab.delete(network, pod).succeed()
    #expect(try lab.leases() == [])
  }
}
