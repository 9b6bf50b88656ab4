import Linux
import TestSupport
import Testing

@Suite("Sockets of one link", .needsRoot)
struct PacketSocketTests {
  /// A pair of links in one namespace, both up.
  private func inPair<Product>(_ body: () throws -> Product) throws -> Product {
    try FreshNamespace.run {
      for line in [
        "link add one0 type veth peer name two0", "link set one0 up", "link set two0 up",
        "addr add 10.1.1.1/24 dev one0",
      ] {
        let ran = try ChildProcess.run(
          "/usr/sbin/ip", arguments: line.split(separator: " ").map(String.init),
          environment: .current())
        #expect(ran.isSuccess)
      }
      return try body()
    }
  }

  /// The indexes as `ip` tells them, since /sys belongs to another namespace.
  private func indexes() throws -> (a: UInt32, b: UInt32) {
    let ran = try ChildProcess.run(
      "/usr/sbin/ip", arguments: ["-o", "link"], environment: .current())
    var found: [String: UInt32] = [:]
    for line in String(decoding: ran.output, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: ":")
      let name = words[1].split(separator: "@")[0].filter { $0 != " " }
      found[name] = UInt32(words[0])
    }
    return (found["one0"] ?? 0, found["two0"] ?? 0)
  }

  /// What is heard when it is said, again until something is: a busy machine loses frames.
  private func packets(
    heardBy ear: borrowing PacketSocket, saying say: () throws -> Void
  ) throws -> [PacketSocket.Packet] {
    var heard: [PacketSocket.Packet] = []
    for _ in 1...100 where heard.isEmpty {
      try say()
      _ = try Readiness.wait(for: [ear.readiness], timeout: .milliseconds(300))
      while let packet = try ear.receive() { heard.append(packet) }
    }
    return heard
  }

  @Test("hear UDP to their port, whole, from below the address, and nothing else")
  func filter() throws {
    try inPair {
      let (a, b) = try indexes()
      let ear = try PacketSocket(udpTo: 68, onLink: b)
      let mouth = try PacketSocket(udpTo: 9999, onLink: a)
      func packet(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var bytes: [UInt8] = [
          0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 1, 1, 255, 255, 255, 255, 0, 67, 0, 68,
          0, 11, 0, 0, 1, 2, 3,
        ]
        change(&bytes)
        return bytes
      }
      let heard = try packets(heardBy: ear) {
        try mouth.broadcast(packet { $0[9] = 6 })
        try mouth.broadcast(packet { $0[23] = 69 })
        try mouth.broadcast(packet { $0[6] = 0x20 })
        try mouth.broadcast(packet { $0[7] = 1 })
        try mouth.broadcast([0x45])
        try mouth.broadcast(packet())
      }
      #expect(!heard.isEmpty)
      #expect(heard.allSatisfy { $0.bytes == packet() && $0.hasChecksum })

      // From the kernel's own UDP, over a link that never leaves the machine.
      let speaker = try DatagramSocket(from: [10, 1, 1, 1], port: 67, onLink: "one0")
      let own = try packets(heardBy: ear) {
        try speaker.send([7, 8], to: [255, 255, 255, 255], port: 68)
      }.last
      #expect(own?.bytes.suffix(2) == [7, 8])
      #expect(own?.bytes[12..<16] == [10, 1, 1, 1])
      #expect(own?.hasChecksum == false)
    }
  }

  @Test("speak from an address that the host does not have")
  func foreignSource() throws {
    try inPair {
      let ear = try PacketSocket(udpTo: 67, onLink: try indexes().b)
      let speaker = try DatagramSocket(from: [10, 1, 1, 77], port: 68, onLink: "one0")
      let heard = try packets(heardBy: ear) {
        try speaker.send([1], to: [255, 255, 255, 255], port: 67)
      }
      #expect(heard.first?.bytes[12..<16] == [10, 1, 1, 77])
    }
  }

  @Test("go on counting while the machine sleeps: the clock of leases is never behind the other")
  func clock() {
    let before = BootTime.now
    #expect(BootTime.now >= before)
    #expect(BootTime(sinceBoot: .seconds(5)) - BootTime(sinceBoot: .seconds(3)) == .seconds(2))
  }
}
