import Addressing
import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("A port of the bridge", .needsRoot)
struct BridgePortTests {
  @Test("is up, named and signed for its attachment, and has the pod's MTU")
  func made() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let result = try lab.add(lab.network("bridge", ["mtu": 1440]), pod).result()
    let port = try #require(try lab.ports().first)
    let inside = try #require(try pod.link())
    #expect(port.name == result.interfaces[1].name)
    #expect(port.name.wholeMatch(of: /veth[0-9a-f]{8}/) != nil)
    #expect(port.alias == "swift-cni:net/one/eth0")
    #expect([port.mtu, inside.mtu] == [1440, 1440])
    #expect([port.isUp, inside.isUp, port.isRunning] == [true, true, true])
    #expect(port.port?.state == 3)
    #expect([port.port?.hairpin, port.port?.isolated] == [false, false])
    #expect([port.peer, inside.peer] == [inside.index, port.index])
    #expect(try lab.setting("ipv6", "conf", port.name, "accept_ra") == "0")
    #expect(try lab.ports().count == 1)
  }

  @Test("sends a pod's own frames back to it in hairpinMode alone", arguments: [true, false])
  func hairpin(_ isOn: Bool) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try lab.add(lab.network("bridge", ["hairpinMode": .bool(isOn)]), pod).succeed()
    #expect(try lab.ports().map { $0.port?.hairpin } == [isOn])
    let heard: Set<UInt8> = try pod.run {
      let ear = try FrameSocket(0x88b5, on: "eth0", patience: .seconds(1))
      var heard: Set<UInt8> = []
      // A frame is lost now and then, where a processor's queue is full.
      for _ in 1...5 where heard.count < (isOn ? 2 : 1) {
        try FrameSocket.send(.trial(from: [2, 0, 0, 0, 0, 1]), by: "eth0")
        try lab.host.run {
          try FrameSocket.send(.trial(from: [2, 0, 0, 0, 0, 2]), by: "cni0")
        }
        while let frame = try ear.next() { heard.insert(frame[11]) }
      }
      return heard
    }
    #expect(heard == (isOn ? [1, 2] : [2]))
  }

  @Test("reaches the host but no other isolated port when portIsolation is on")
  func isolation() throws {
    let lab = try PluginLab()
    let open = lab.network(
      "bridge", ["isGateway": true], ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64"))
    let closed = open.with(["portIsolation": true])
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try lab.add(closed, pod).succeed() }
    let free = try Pod("three")
    try lab.add(open, free).succeed()
    #expect(try lab.ports().filter { $0.port?.isolated == true }.count == 2)

    for address in ["10.1.2.3", "fd00:1::3"] {
      let heard = try Traffic.exchange(
        .udp, from: pods[0].namespace, to: pods[1].namespace, at: address,
        patience: .milliseconds(200))
      #expect(heard == nil)
    }
    #expect(try lab.reaches(pods[0]))
    #expect(
      try Traffic.exchange(.udp, from: pods[0].namespace, to: free.namespace, at: "10.1.2.4")
        == "10.1.2.2")
    #expect(
      try Traffic.exchange(.tcp, from: free.namespace, to: pods[1].namespace, at: "fd00:1::3")
        == "fd00:1::4")
  }

  /// Who asks for an address, and who is heard.
  struct Wish: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let keys: JSONObject
    var arguments: String?
    let address: String
  }

  static let wishes = [
    Wish(
      testDescription: "runtimeConfig goes before all others",
      keys: [
        "runtimeConfig": ["mac": "02:00:00:00:00:01"],
        "args": ["cni": ["mac": "02:00:00:00:00:02"]],
      ], arguments: "IgnoreUnknown=1;MAC=02:00:00:00:00:03", address: "02:00:00:00:00:01"),
    Wish(
      testDescription: "args.cni goes before CNI_ARGS",
      keys: ["args": ["cni": ["mac": "02:00:00:00:00:02"]]],
      arguments: "MAC=02:00:00:00:00:03", address: "02:00:00:00:00:02"),
    Wish(
      testDescription: "CNI_ARGS is heard", keys: [:],
      arguments: "IgnoreUnknown=1;K8S_POD_NAME=x;MAC=02:00:00:00:00:03",
      address: "02:00:00:00:00:03"),
    Wish(
      testDescription: "empty text in a stronger place asks for nothing",
      keys: ["runtimeConfig": ["mac": ""], "args": ["cni": ["mac": ""]]],
      arguments: "MAC=02:00:00:00:00:03", address: "02:00:00:00:00:03"),
    Wish(
      testDescription: "capital letters are the same address",
      keys: ["runtimeConfig": ["mac": "02:AB:CD:EF:00:01"]], address: "02:ab:cd:ef:00:01"),
  ]

  @Test("leads to a pod with the hardware address that was asked for", arguments: wishes)
  func hardwareAddress(_ wish: Wish) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    var network = lab.network("bridge").with(wish.keys)
    network.arguments = wish.arguments
    let result = try lab.add(network, pod).result()
    #expect(try pod.link()?.hardwareAddress == wish.address)
    #expect(result.interfaces[2].hardwareAddressText == wish.address)
  }

  @Test("leads to a pod that has the same hardware address each time it comes back")
  func sameAddress() throws {
    let lab = try PluginLab()
    let network = lab.network("bridge")
    let addresses = try (1...2).map { _ in
      let pod = try Pod("one")
      try lab.add(network, pod).succeed()
      let address = try pod.link()?.hardwareAddress
      try lab.delete(network, pod).succeed()
      return address
    }
    #expect(addresses[0] == addresses[1])
    let other = try Pod("two")
    try lab.add(network, other).succeed()
    #expect(try other.link()?.hardwareAddress != addresses[0])
  }

  @Test("leaves the pod's end down and bare when disableContainerInterface is on")
  func bare() throws {
    let lab = try PluginLab()
    let network = lab.network("bridge", ["disableContainerInterface": true])
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let added = try lab.add(network, pod)
    let result = try added.result()
    #expect(result.interfaces.map(\.name).last == "eth0")
    #expect(try pod.link()?.isUp == false)
    #expect(try pod.addresses() == [])
    #expect(try lab.ports().count == 1)
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("joins pods on layer 2 alone when there is no IPAM")
  func layerTwo() throws {
    let lab = try PluginLab()
    let network = lab.network("bridge")
    let before = try lab.settled(network)
    let pods = try ["one", "two"].map { try Pod($0) }
    let added = try pods.map { try lab.add(network, $0) }
    #expect(try added[0].result().addresses == [])
    for (place, pod) in pods.enumerated() {
      #expect(try pod.addresses() == [])
      #expect(try pod.link()?.isUp == true)
      try pod.ip("addr add 192.0.2.\(place + 1)/24 dev eth0")
      try lab.check(network.after(added[place]), pod).succeed()
    }
    #expect(try Traffic.pings("192.0.2.2", from: pods[0].namespace))
    for pod in pods { try lab.delete(network, pod).succeed() }
    try lab.expectUnchanged(since: before)
  }
}

extension [UInt8] {
  /// A frame to everybody of the kind that is kept for experiments (IEEE 802).
  static func trial(from source: [UInt8]) -> [UInt8] {
    [UInt8](repeating: 0xff, count: 6) + source + [0x88, 0xb5] + [UInt8](repeating: 0, count: 46)
  }
}
