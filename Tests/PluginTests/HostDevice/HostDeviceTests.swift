import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("host-device", .needsRoot)
struct HostDeviceTests {
  @Test("lends the device under another name and brings it back under its own")
  func lends() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let before = try lab.picture()
    try lab.ip("link set eth7 up")
    let pod = try Pod("one")
    // Names that are taken where the device does not come to bear them.
    try pod.ip("link add eth7 type veth peer name eth8")
    let untouched = try pod.picture()
    let network = lab.hostDevice()
    let added = try lab.add(network, pod)
    let result = try added.result()
    #expect(result.interfaces.map(\.name) == ["eth0"])
    #expect(result.interfaces[0].hardwareAddressText == "02:00:00:00:00:07")
    #expect(result.interfaces[0].sandbox == pod.path)
    #expect(result.addresses.map(\.interface) == [0, 0])
    let inside = try #require(try pod.link())
    #expect(inside.alias == "eth7")
    #expect(inside.isUp)
    #expect(try lab.link("eth7") == nil)
    #expect(Set(try pod.addresses()) == ["10.1.2.2/24", "fd00:1::2/64"])
    for gateway in ["10.1.2.1", "fd00:1::1"] {
      #expect(try Traffic.pings(gateway, from: pod.namespace))
    }
    try lab.check(network.after(added), pod).succeed()
    #expect(
      try lab.add(network, try Pod("two")).error?.message.hasPrefix("failed to find host device")
        == true)
    for _ in 1...2 { try lab.delete(network.after(added), pod).succeed() }
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("refuses an IPv6 address that another host on its link has, unless it is not to look")
  func duplicate() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    try lab.ip("link set eth7 up")
    try outside.run { try TestProgram.ip("address add fd00:1::2/64 dev far nodad") }
    let pod = try Pod("one")
    let network = lab.hostDevice(["device": "eth7", "enabledad": nil])
    let error = try lab.refusal(network, pod)
    #expect(
      error?.message.contains("fd00:1::2 in DADFAILED state") == true, "\(error?.message ?? "")")
    #expect(try lab.link("eth7") != nil)
    #expect(try lab.leases() == [])
    try lab.add(lab.hostDevice(), pod).succeed()
    try lab.delete(lab.hostDevice(), pod).succeed()
  }

  @Test("names the network's resolvers, and the IPAM plugin's where it has none")
  func resolvers() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let pod = try Pod("one")
    for (keys, names) in [
      (["dns": ["nameservers": ["192.0.2.99"]]] as JSONObject, ["192.0.2.99"]),
      ([:], ["192.0.2.53"]),
    ] {
      let network = lab.network(
        "host-device", ["device": "eth7"],
        ipam: [
          "type": "static", "addresses": [["address": "10.1.2.2/24"]],
          "dns": ["nameservers": ["192.0.2.53"]],
        ]
      ).with(keys)
      #expect(try lab.add(network, pod).result().dns.nameservers == names)
      try lab.delete(network, pod).succeed()
    }
    _ = outside.path
  }

  @Test("only switches the device on without IPAM, in every version that can say so")
  func layerTwo() throws {
    let lab = try PluginLab()
    let outside = try lab.device()
    let before = try lab.picture()
    for version in ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
      let pod = try Pod("one")
      let network = lab.hostDevice(["device": "eth7", "ipam": nil])
        .with(["cniVersion": .string(version)])
      let added = try lab.add(network, pod)
      #expect(try added.result().addresses == [])
      #expect(try pod.link()?.isUp == true)
      if version >= "0.4.0" { try lab.check(network.after(added), pod).succeed() }
      try lab.delete(network, pod).succeed()
      try lab.expectUnchanged(since: before)
    }
    // Older ones have no result without an address, and the device is back.
    let pod = try Pod("old")
    let untouched = try pod.picture()
    let old = lab.hostDevice(["device": "eth7", "ipam": nil, "cniVersion": "0.2.0"])
    #expect(try lab.add(old, pod).error != nil)
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  /// A way to the device, and what sysfs shows of it.
  struct Way: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let keys: JSONObject
    var pciID = ""
    var directories: [String] = []
    var virtualCard = false
  }

  static let ways = [
    Way(testDescription: "hwaddr", keys: ["hwaddr": "02:00:00:00:00:07"]),
    Way(
      testDescription: "kernelpath", keys: ["kernelpath": "/sys/devices/pci0000:00/card"],
      directories: ["/sys/devices/pci0000:00/card/net/eth7"]),
    Way(
      testDescription: "pciBusID", keys: ["pciBusID": "0000:00:1f.6"], pciID: "0000:00:1f.6",
      directories: ["\(FakeSysfs.pci)/0000:00:1f.6/net/eth7"]),
    Way(
      testDescription: "pciBusID of a virtual card", keys: ["pciBusID": "0000:00:1f.6"],
      pciID: "0000:00:1f.6", directories: ["\(FakeSysfs.pci)/0000:00:1f.6/virtio0/net/eth7"]),
    Way(
      testDescription: "deviceID on the PCI bus",
      keys: ["pciBusID": "0000:00:02.0", "runtimeConfig": ["deviceID": "0000:00:1f.6"]],
      pciID: "0000:00:1f.6", directories: ["\(FakeSysfs.pci)/0000:00:1f.6/net/eth7"]),
    Way(
      testDescription: "deviceID on the auxiliary bus",
      keys: ["runtimeConfig": ["deviceID": "mlx5_core.sf.4"]],
      directories: ["/sys/bus/auxiliary/devices/mlx5_core.sf.4/net/eth7"]),
    Way(
      testDescription: "device before all others",
      keys: ["device": "eth7", "hwaddr": "02:00:00:00:00:99", "kernelpath": "/sys/devices/none"]),
  ]

  @Test("finds the device by", arguments: ways)
  func finds(_ way: Way) async throws {
    try await FakeSysfs.run {
      try FakeSysfs.addPCI("0000:00:1f.6", driver: "e1000e")
      for directory in way.directories { try Directory.create(directory) }
      let lab = try PluginLab()
      let outside = try lab.device()
      let before = try lab.picture()
      let pod = try Pod("one")
      let network = lab.hostDevice(way.keys)
      let added = try lab.add(network, pod)
      let result = try added.result()
      #expect(try pod.link()?.alias == "eth7")
      #expect(result.interfaces[0].pciID == way.pciID)
      try lab.check(network.after(added), pod).succeed()
      try lab.delete(network.after(added), pod).succeed()
      try lab.expectUnchanged(since: before)
      _ = outside.path
    }
  }

  @Test("leaves a device alone that a program drives, and gets its addresses")
  func userSpace() async throws {
    for driver in ["vfio-pci", "uio_pci_generic", "igb_uio"] {
      try await FakeSysfs.run {
        try FakeSysfs.addPCI("0000:00:1f.6", driver: driver)
        let lab = try PluginLab()
        let before = try lab.picture()
        let pod = try Pod("one")
        let untouched = try pod.picture()
        let network = lab.hostDevice(["runtimeConfig": ["deviceID": "0000:00:1f.6"]])
        let added = try lab.add(network, pod)
        let result = try added.result()
        #expect(result.interfaces.map(\.name) == ["eth0"])
        #expect(result.interfaces[0].hardwareAddressText == "")
        #expect(result.interfaces[0].pciID == "0000:00:1f.6")
        #expect(result.interfaces[0].sandbox == pod.path)
        #expect(result.addresses.map(\.interface) == [0, 0])
        #expect(try lab.leases().count == 2)
        try pod.expectUnchanged(since: untouched)
        try lab.check(network.after(added), pod).succeed()
        // The device need not be there any more.
        let gone = network.with(["runtimeConfig": ["deviceID": "0000:00:99.0"]])
        try lab.delete(gone, pod).succeed()
        try lab.expectUnchanged(since: before)
      }
    }
  }
}
