import Addressing
import Linux
import Testing

@testable import DHCPClient

@Suite("A DHCP message")
struct MessageTests {
  /// An ACK as dnsmasq 2.90 sent it, from its BOOTP header on.
  static func acknowledgement(_ options: [UInt8], sname: [UInt8] = [], file: [UInt8] = [])
    -> [UInt8]
  {
    var bytes: [UInt8] = [2, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 3, 0, 0]
    bytes += [0, 0, 0, 0, 192, 168, 1, 5, 192, 168, 1, 1, 0, 0, 0, 0]
    bytes += [2, 0, 0x5e, 0, 0x53, 1] + [UInt8](repeating: 0, count: 10)
    bytes += sname + [UInt8](repeating: 0, count: 64 - sname.count)
    bytes += file + [UInt8](repeating: 0, count: 128 - file.count)
    return bytes + [99, 130, 83, 99] + options
  }

  static let usual: [UInt8] = [
    53, 1, 5, 54, 4, 192, 168, 1, 1, 51, 4, 0, 0, 0, 120, 1, 4, 255, 255, 255, 0, 3, 4, 192, 168,
    1, 1, 255,
  ]

  @Test("is read field by field")
  func fields() throws {
    let message = try DHCPMessage(Self.acknowledgement(Self.usual))
    #expect(message.isReply)
    #expect(message.transaction == 0xdead_beef)
    #expect(message.seconds == 3)
    #expect(message.yourAddress == IPv4Address(192, 168, 1, 5))
    #expect(message.nextServer == IPv4Address(192, 168, 1, 1))
    #expect(message.hardwareAddress.description == "02:00:5e:00:53:01")
    #expect(message.kind == .acknowledgement)
    #expect(message.server == IPv4Address(192, 168, 1, 1))
    // What is written is read the same, and is as long as BOOTP wants it.
    #expect(try DHCPMessage(message.bytes) == message)
    #expect(message.bytes.count == 300)
    #expect(Array(message.bytes.prefix(240)) == Array(Self.acknowledgement([]).prefix(240)))
  }

  @Test("may hold options in the fields for file and server name, and options in parts")
  func overload() throws {
    let message = try DHCPMessage(
      Self.acknowledgement(
        [53, 1, 5, 52, 1, 3, 54, 2, 192, 168, 255], sname: [54, 1, 1, 255, 15, 9, 9],
        file: [0, 0, 54, 1, 7, 255]))
    #expect(message.options[DHCPOption(rawValue: 54)] == [192, 168, 7, 1])
    #expect(message.server == IPv4Address(192, 168, 7, 1))
    #expect(message.options[.domainName] == nil)
    let long = [UInt8](repeating: 7, count: 600)
    var other = message
    other.options[DHCPOption(rawValue: 43)] = long
    #expect(try DHCPMessage(other.bytes).options[DHCPOption(rawValue: 43)] == long)
  }

  /// Bytes that are no message, and what is wrong with them.
  static let damaged: [([UInt8], DHCPMessageError)] = [
    ([], .tooShort(0)),
    (Array(acknowledgement(usual).prefix(239)), .tooShort(239)),
    ([UInt8](repeating: 0, count: 300), .notDHCP),
    (acknowledgement([53]), .optionTooLong(53)),
    (acknowledgement([53, 1]), .optionTooLong(53)),
    (acknowledgement([53, 255, 5]), .optionTooLong(53)),
    (acknowledgement([52, 1, 1, 255], file: [UInt8](repeating: 9, count: 128)), .optionTooLong(9)),
    (
      acknowledgement([52, 1, 2, 255], sname: [6] + [UInt8](repeating: 64, count: 63)),
      .optionTooLong(6)
    ),
  ]

  @Test("is refused when it is damaged", arguments: damaged.indices)
  func damage(index: Int) {
    let (bytes, wanted) = Self.damaged[index]
    #expect(throws: wanted) { try DHCPMessage(bytes) }
  }

  @Test("of other hardware is none")
  func otherHardware() {
    for (place, value) in [(0, 3), (1, 6), (2, 16), (2, 0), (2, 255)] as [(Int, UInt8)] {
      var bytes = Self.acknowledgement(Self.usual)
      bytes[place] = value
      #expect(throws: DHCPMessageError.notEthernet) { try DHCPMessage(bytes) }
    }
  }

  @Test("of random bytes is read or refused, and what is read can be asked for everything")
  func randomBytes() throws {
    var read = 0
    var refused = 0
    for round in 0..<20_000 {
      var bytes = Self.acknowledgement(
        (0..<Int.random(in: 0...120)).map { _ in
          // Numbers and lengths that mean something are likely.
          UInt8([1, 3, 4, 6, 12, 15, 26, 33, 51, 52, 119, 121, 255].randomElement() ?? 0)
        } + (0..<Int.random(in: 0...40)).map { _ in .random(in: 0...255) })
      if round % 2 == 0 { bytes = Self.mutated(Self.acknowledgement(Self.usual)) }
      do {
        let message = try DHCPMessage(bytes)
        #expect(try DHCPMessage(message.bytes).options == message.options)
        let lease = try DHCPLease(message, askedAt: .at(0))
        read += 1
        let seen: [Any?] = [
          lease.interfaceAddress, lease.routers, lease.nameServers, lease.timeServers,
          lease.domainName, lease.hostName, lease.searchDomains, lease.interfaceMTU, lease.routes,
          lease.renewal, lease.rebinding, lease.end,
        ]
        #expect(seen.count == 12)
        if let end = lease.end, let second = lease.rebinding, let first = lease.renewal {
          #expect(lease.start < first && first <= second && second <= end)
        }
      } catch {
        refused += 1
      }
    }
    #expect(read > 1000 && refused > 1000)
  }

  private static func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3) {
      bytes[.random(in: bytes.indices)] = .random(in: 0...255)
    }
    return Bool.random() ? bytes : bytes.dropLast(.random(in: 0...30))
  }
}

@Suite("A UDP packet")
struct UDPPacketTests {
  let here = IPv4Address(10, 0, 0, 1)
  let there = IPv4Address(10, 0, 0, 2)

  /// RFC 791 and 768 by another hand: python3 and its struct module.
  @Test("has the checksums that others compute")
  func golden() {
    let packet = UDPPacket.bytes([1, 2, 3], from: here, port: 67, to: there, port: 68)
    #expect(
      packet == [
        0x45, 0x10, 0, 31, 0, 0, 0x40, 0, 64, 17, 0x26, 0xbc, 10, 0, 0, 1, 10, 0, 0, 2, 0, 67, 0,
        68, 0, 11, 0xe7, 0x4c, 1, 2, 3,
      ])
  }

  @Test("is read when it is whole, for the port, and sound")
  func reading() {
    let packet = UDPPacket.bytes([1, 2, 3], from: here, port: 67, to: there, port: 68)
    func read(_ packet: [UInt8], trusting: Bool = true) -> [UInt8]? {
      UDPPacket.payload(of: packet, to: 68, checksIntegrity: trusting)
    }
    #expect(read(packet) == [1, 2, 3])
    #expect(read(packet + [9, 9]) == [1, 2, 3])
    #expect(UDPPacket.payload(of: packet, to: 67, checksIntegrity: true) == nil)
    for length in 0..<packet.count { #expect(read(Array(packet.prefix(length))) == nil) }
    for place in packet.indices {
      var bad = packet
      bad[place] ^= 0x10
      // Only the source's port is in no checksum but its own datagram's.
      #expect(read(bad) == nil, "byte \(place)")
    }
    var uncomputed = packet
    uncomputed[26] ^= 1
    #expect(read(uncomputed, trusting: false) == [1, 2, 3])
  }

  /// GO-2026-6237: a length below the header's own.
  @Test("with a length below its header's is none", arguments: 0..<8)
  func shortLength(length: UInt8) {
    var packet = UDPPacket.bytes([1, 2, 3], from: here, port: 67, to: there, port: 68)
    packet[25] = length
    #expect(UDPPacket.payload(of: packet, to: 68, checksIntegrity: false) == nil)
    var short = UDPPacket.bytes([], from: here, port: 67, to: there, port: 68)
    short[3] = length
    #expect(UDPPacket.payload(of: short, to: 68, checksIntegrity: false) == nil)
  }
}
