import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The uplink of a bridge", .needsRoot)
struct BridgeUplinkTests {
  @Test("joins pods to the network outside, and stays when they go")
  func bare() throws {
    let cable = try Cable(bare: true)
    let lab = cable.lab
    let network = cable.network([:])
    let before = try lab.settled(network)
    #expect(try lab.ports().map(\.name) == ["eth1"])
    #expect(try lab.link("eth1")?.isUp == true)
    #expect(try lab.link("cni0")?.hardwareAddress == Cable.address)
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods {
      let outcome = try lab.add(network, pod)
      let addresses = try outcome.result().addresses.map(\.address.address.description)
      for (own, other) in zip(addresses, ["192.0.2.1", "2001:db8::1"]) {
        #expect(
          try Traffic.exchange(
            .tcp, from: pod.namespace, to: cable.outside, at: other, size: 50_000,
            patience: .seconds(30)) == own)
        #expect(try cable.reaches(own, cable.outside))
      }
      #expect(try cable.reaches("203.0.113.1", pod.namespace))
      #expect(try cable.reaches("2001:db8:9::1", pod.namespace))
      try lab.check(try network.after(outcome), pod).succeed()
    }
    #expect(try cable.reaches("192.0.2.3", pods[1].namespace))
    for pod in pods { try lab.delete(network, pod).succeed() }
    try lab.collectGarbage(network, keeping: []).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("gives the bridge the host's addresses and routes word for word, and connections go on")
  func moved() throws {
    let cable = try Cable()
    let lab = cable.lab
    let before = try cable.told(of: "eth1")
    let held = [
      try HeldConnection(from: lab.host, to: cable.outside, at: "203.0.113.1"),
      try HeldConnection(from: lab.host, to: cable.outside, at: "2001:db8:9::1"),
      try HeldConnection(from: cable.outside, to: lab.host, at: "192.0.2.6"),
      try HeldConnection(from: cable.outside, to: lab.host, at: "2001:db8::5"),
    ]
    let network = cable.network()
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods {
      let outcome = try lab.add(network, pod)
      try outcome.succeed()
      try cable.expectMoved(before)
      for connection in held { #expect(try connection.passes()) }
      for address in ["203.0.113.1", "2001:db8:9::1", "192.0.2.5", "2001:db8::5"] {
        #expect(try cable.reaches(address, pod.namespace), "\(address) from the pod")
      }
      for address in ["203.0.113.1", "2001:db8:9::1"] {
        #expect(try cable.reaches(address, lab.host), "\(address) from the host")
      }
      for address in ["192.0.2.5", "192.0.2.6", "2001:db8::5"] {
        #expect(try cable.reaches(address, cable.outside), "\(address) from outside")
      }
      try lab.check(try network.after(outcome), pod).succeed()
    }
    let outside = try cable.outside.run { try Witness.neighbours() }
    for address in ["192.0.2.5", "2001:db8::5"] {
      #expect(
        outside.first { $0.address == address }?.hardwareAddress == Cable.address,
        "neighbours know the host as before")
    }
    for pod in pods { try lab.delete(network, pod).succeed() }
    try cable.expectMoved(before)
    for connection in held { #expect(try connection.passes()) }
    try lab.add(network, pods[0]).succeed()
    try cable.expectMoved(before)
  }

  @Test("is made a port once, with its addresses moved once, when eight first pods come at once")
  func firstPods() async throws {
    let cable = try Cable()
    let lab = cable.lab
    let before = try cable.told(of: "eth1")
    let network = cable.network()
    let failures = try await withThrowingTaskGroup { group in
      for number in 1...8 {
        group.addTask {
          try await OwnThread.run {
            try lab.add(network, try Pod("pod-\(number)")).error?.message
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(failures == [nil, nil, nil, nil, nil, nil, nil, nil])
    try cable.expectMoved(before)
    #expect(try lab.ports().count == 9)
    for address in ["203.0.113.1", "2001:db8:9::1"] {
      #expect(try cable.reaches(address, lab.host))
    }
  }

  @Test("keeps all it had when the bridge cannot take it, and the bridge is as it was")
  func takenBack() throws {
    let cable = try Cable()
    let lab = cable.lab
    try lab.ip("link add cni0 address 02:00:00:00:00:99 up type bridge")
    try lab.host.run { try Sysctl.write(["net", "ipv6", "conf", "cni0", "disable_ipv6"], "1") }
    let connection = try HeldConnection(from: lab.host, to: cable.outside, at: "203.0.113.1")
    let before = try lab.picture()
    let error = try lab.add(cable.network(), try Pod("one")).error
    #expect(
      error?.message.hasPrefix("failed to make \"eth1\" a port of \"cni0\": give address") == true)
    try lab.expectUnchanged(since: before)
    #expect(try lab.link("cni0")?.hardwareAddress == "02:00:00:00:00:99")
    #expect(try connection.passes())
    for address in ["203.0.113.1", "2001:db8:9::1"] {
      #expect(try cable.reaches(address, lab.host))
    }
  }

  @Test("joins a bridge that has pods already: they follow it to its new hardware address")
  func late() throws {
    let cable = try Cable()
    let lab = cable.lab
    let before = try cable.told(of: "eth1")
    let plain = lab.network("bridge", ["isGateway": true], ipam: lab.hostLocal("10.1.2.0/24"))
    let early = try Pod("early")
    try lab.add(plain, early).succeed()
    #expect(try cable.reaches("10.1.2.1", early.namespace))
    let outcome = try lab.add(
      plain.with(["uplink": "eth1", "uplinkAddresses": "move"]), try Pod("late"))
    try outcome.succeed()
    #expect(try outcome.result().interfaces[0].hardwareAddressText == Cable.address)
    #expect(try lab.link("cni0")?.hardwareAddress == Cable.address)
    #expect(try lab.addresses(on: "cni0").contains("10.1.2.1/24"))
    #expect(try Set(before).subtracting(cable.told(of: "cni0")) == [])
    #expect(try cable.reaches("10.1.2.1", early.namespace))
    #expect(try cable.reaches("203.0.113.1", lab.host))
  }

  @Test("is completed where somebody was killed in between, and where a manager gave it addresses")
  func completed() throws {
    let cable = try Cable()
    let lab = cable.lab
    let before = try cable.told(of: "eth1")
    let network = cable.network()
    // Killed once the link was a port, and some of it on the bridge.
    _ = try lab.host.run {
      try Shell.run(
        """
        ip link add cni0 address \(Cable.address) up type bridge
        ip link set eth1 master cni0
        ip address add 192.0.2.5/24 brd + dev cni0
        """)
    }
    let pod = try Pod("one")
    let outcome = try lab.add(network, pod)
    try outcome.succeed()
    try cable.expectMoved(before)
    try lab.ip("address add 192.0.2.6/24 label eth1:web dev eth1")
    let checked = try network.after(outcome)
    #expect(
      try lab.check(checked, pod).error?.message == "uplink \"eth1\" has 192.0.2.6/24 again")
    try lab.add(network, try Pod("two")).succeed()
    try cable.expectMoved(before)
    try lab.ip("link set eth1 nomaster")
    #expect(
      try lab.check(checked, pod).error?.message == "uplink \"eth1\" is no port of \"cni0\"")
    try lab.add(network, try Pod("three")).succeed()
    try lab.check(checked, pod).succeed()
    try cable.expectMoved(before)
    #expect(try cable.reaches("203.0.113.1", pod.namespace))
  }

  @Test("says how long frames of pods may be")
  func size() throws {
    let cable = try Cable(bare: true)
    let lab = cable.lab
    try lab.ip("link set eth1 mtu 1400")
    let pod = try Pod("one")
    try lab.add(cable.network([:]), pod).succeed()
    #expect(try pod.link()?.mtu == 1400)
    #expect(try lab.link("cni0")?.mtu == 1400)
    let before = try lab.picture()
    let error = try lab.add(cable.network(["mtu": 1401]), try Pod("two")).error
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message == "mtu: 1401 bytes do not pass by uplink \"eth1\", which carries 1400")
    try lab.expectUnchanged(since: before)
  }

  @Test("lets pods have a gateway on the bridge, beside the host's own addresses or as one of them")
  func gateways() throws {
    let cable = try Cable()
    let lab = cable.lab
    let pods = try ["one", "two"].map { try Pod($0) }
    let own = lab.network(
      "bridge", ["uplink": "eth1", "uplinkAddresses": "move", "isGateway": true],
      ipam: lab.hostLocal("10.1.2.0/24"))
    try lab.add(own, pods[0]).succeed()
    #expect(try lab.addresses(on: "cni0").contains("10.1.2.1/24"))
    #expect(try lab.addresses(on: "cni0").contains("192.0.2.5/24"))
    #expect(try cable.reaches("10.1.2.1", pods[0].namespace))
    let shared: JSONObject = [
      "type": "static", "addresses": [["address": "192.0.2.9/24", "gateway": "192.0.2.5"]],
    ]
    try lab.add(own.with(["ipam": .object(shared)]), pods[1]).succeed()
    #expect(try cable.reaches("192.0.2.5", pods[1].namespace))
    let taken: JSONObject = ["type": "static", "addresses": [["address": "192.0.2.8/24"]]]
    let error = try lab.add(own.with(["ipam": .object(taken)]), try Pod("three")).error
    #expect(
      error?.message.contains("already has an IP address different from 192.0.2.1/24") == true)
    #expect(try cable.reaches("203.0.113.1", lab.host))
  }
}
