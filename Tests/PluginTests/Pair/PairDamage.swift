import CNI
import TestSupport
import Testing

extension Damage {
  /// Shows on a network of bridge or ptp that CHECK notices, that it changes nothing, and that DEL
  /// still takes everything away.
  ///
  /// In the lines `VETH` stands for the host's end, and `MAC` for the hardware address of the pod's,
  /// on the host for that of the first interface in the result.
  func expectNotice(on network: TestNetwork, of lab: PluginLab) throws {
    let pod = try Pod("one")
    let added = try lab.add(network, pod)
    let check = try network.after(added)
    try lab.check(check, pod).succeed()
    let names = try added.result().interfaces
    let host = try #require(names.last { $0.sandbox.isEmpty })
    let inside = try #require(names.first { !$0.sandbox.isEmpty })
    for line in onHost {
      let line = line.replacing("VETH", with: host.name)
        .replacing("MAC", with: names[0].hardwareAddressText)
      if line.hasPrefix("nft ") {
        try lab.host.run { try TestProgram.nft(String(line.dropFirst(4))) }
      } else {
        try lab.ip(line)
      }
    }
    for line in inPod { try pod.ip(line.replacing("MAC", with: inside.hardwareAddressText)) }
    let before = try lab.picture()
    let message = try lab.check(check, pod).error?.message
    #expect(message?.contains(says) == true, "it said: \(message ?? "nothing")")
    try lab.expectUnchanged(since: before)
    try lab.delete(check, pod).succeed()
    #expect(try lab.leases() == [])
  }
}
