import Addressing
import Linux
import TestSupport
import Testing

@testable import DHCPClient

@Suite("A DHCP lease")
struct LeaseTests {
  private func lease(_ options: [(DHCPOption, [UInt8])]) throws -> DHCPLease {
    var server = SimulatedServer()
    for (option, value) in options { server = server.saying(option, value) }
    var client = try DHCPConversation.client()
    return try client.settle(with: server, at: .at(50))
  }

  /// A mask and the address it gives.
  static let masks: [([UInt8], String?)] = [
    ([255, 255, 255, 0], "192.168.1.5/24"), ([255, 255, 255, 255], "192.168.1.5/32"),
    ([128, 0, 0, 0], "192.168.1.5/1"), ([0, 0, 0, 0], nil), ([255, 0, 255, 0], nil),
    ([255, 255, 255], nil), ([255, 255, 255, 0, 0], nil), ([], nil),
  ]

  @Test("has the prefix of its mask, or none", arguments: masks.indices)
  func mask(index: Int) throws {
    let (mask, wanted) = Self.masks[index]
    #expect(try lease([(.subnetMask, mask)]).interfaceAddress?.description == wanted)
  }

  private func routes(_ options: [(DHCPOption, [UInt8])]) throws -> [String] {
    try lease(options).routes.map { route in
      "\(route.destination) \(route.router.map { "\($0)" } ?? "link")"
    }
  }

  @Test("has classless routes alone where there are any")
  func classless() throws {
    // The examples of RFC 3442, and a destination on the link.
    let list: [UInt8] = [
      0, 10, 0, 0, 1, 8, 10, 10, 0, 0, 2, 24, 10, 0, 0, 10, 0, 0, 3, 27, 10, 27, 129, 64, 10, 0,
      0, 4, 25, 10, 229, 0, 128, 10, 0, 0, 5, 32, 10, 198, 122, 47, 0, 0, 0, 0,
    ]
    #expect(
      try routes([(.classlessRoutes, list), (.staticRoutes, [10, 9, 0, 0, 10, 0, 0, 9])]) == [
        "0.0.0.0/0 10.0.0.1", "10.0.0.0/8 10.0.0.2", "10.0.0.0/24 10.0.0.3",
        "10.27.129.64/27 10.0.0.4", "10.229.0.128/25 10.0.0.5", "10.198.122.47/32 link",
      ])
  }

  @Test("has classful routes and the first router's default route otherwise")
  func classful() throws {
    // Upstream's test of option 33.
    let list: [UInt8] = [10, 0, 0, 0, 10, 1, 2, 3, 192, 168, 1, 0, 192, 168, 2, 3]
    #expect(
      try routes([(.staticRoutes, list), (.routers, [10, 1, 2, 1, 10, 1, 2, 2])]) == [
        "10.0.0.0/8 10.1.2.3", "192.168.1.0/24 192.168.2.3", "0.0.0.0/0 10.1.2.1",
      ])
    #expect(try routes([(.classlessRoutes, [])]) == ["0.0.0.0/0 192.168.1.1"])
    #expect(try routes([(.routers, [0, 0, 0, 0])]) == [])
  }

  @Test(
    "passes over lists of routes that are damaged",
    arguments: [
      [33, 10, 0, 0, 0, 0, 10, 0, 0, 1], [255], [24, 10, 0], [24, 10, 0, 0, 10, 0, 0],
      [0, 224, 0, 0, 1], [0, 127, 0, 0, 1], [24, 10, 0, 0, 10, 0, 0, 1, 24],
    ] as [[UInt8]])
  func damagedRoutes(list: [UInt8]) throws {
    #expect(try routes([(.classlessRoutes, list)]) == ["0.0.0.0/0 192.168.1.1"])
    #expect(try routes([(.staticRoutes, list)]) == ["0.0.0.0/0 192.168.1.1"])
  }

  @Test("names servers and domains")
  func names() throws {
    let lease = try lease([
      (.nameServers, [10, 0, 0, 53, 0, 0, 0, 0, 10, 0, 0, 54]), (.timeServers, [10, 0, 0, 1]),
      (.domainName, Array("example.com.\u{0}".utf8)), (.hostName, Array("blue".utf8)),
      (.interfaceMTU, [0x05, 0x78]),
      // RFC 3397, section 2: "eng.apple.com" and "marketing" with a pointer to "apple.com".
      (
        .domainSearch,
        [3] + Array("eng".utf8) + [5] + Array("apple".utf8) + [3] + Array("com".utf8) + [0, 9]
          + Array("marketing".utf8) + [0xc0, 4]
      ),
    ])
    #expect(lease.nameServers.map(\.description) == ["10.0.0.53", "10.0.0.54"])
    #expect(lease.timeServers.map(\.description) == ["10.0.0.1"])
    #expect(lease.domainName == "example.com")
    #expect(lease.hostName == "blue")
    #expect(lease.interfaceMTU?.bytes == 1400)
    #expect(lease.searchDomains == ["eng.apple.com", "marketing.apple.com"])
  }

  @Test(
    "takes no text for a name that a resolver's file could be changed by",
    arguments: [
      "", "a b", "a\nnameserver 6.6.6.6", "a..b", ".", "a/b", "ä", "$(x)", "a\u{0}b",
      String(repeating: "a", count: 64), String(repeating: "a.", count: 130) + "a",
    ])
  func hostileNames(text: String) throws {
    let bytes = Array(text.utf8)
    let lease = try lease([(.domainName, bytes), (.hostName, bytes)])
    #expect(lease.domainName == nil && lease.hostName == nil)
    #expect(DomainNames.list([UInt8(clamping: bytes.count)] + bytes + [0]) != [text])
  }

  @Test(
    "takes no damaged list of names",
    arguments: [
      [1], [3, 97], [1, 97], [0xc0, 0], [1, 97, 0xc0, 2], [1, 97, 0xc0], [0x40, 97, 0],
      [1, 97, 0xc0, 0], [1, 10, 0], [0x80, 0],
    ] as [[UInt8]])
  func damagedNames(list: [UInt8]) {
    #expect(DomainNames.list(list) == nil)
  }

  @Test("knows no MTU that is too small to work with", arguments: [[0, 68], [2, 63], [1], []])
  func smallMTU(bytes: [UInt8]) throws {
    #expect(try lease([(.interfaceMTU, bytes)]).interfaceMTU == nil)
  }

  @Test("is the same when it has been written and read")
  func file() throws {
    let directory = try TemporaryDirectory()
    let lease = try lease([(.domainName, Array("example.com".utf8))])
    var file = DHCPLeaseFile(
      boot: "b", namespace: FileIdentity(device: 4, inode: .max), order: #"{"a": "b c"}"#,
      lease: lease)
    var client = DHCPv6Conversation.client()
    file.ipv6Lease = try client.settle(with: SimulatedDHCPv6Server(), at: .at(7))
    file.told = #"{"ips": ["v6 1 2"]}"#
    let path = directory.path("x.lease")
    try file.write(to: path)
    #expect(try DHCPLeaseFile(path: path) == file)
    #expect(try File.status(of: path)?.mode == 0o600)
    // Every torn, and every damaged file is none.
    let bytes = Array(file.text.utf8)
    for length in 0..<bytes.count {
      #expect(DHCPLeaseFile(String(decoding: bytes.prefix(length), as: UTF8.self)) == nil)
    }
    for _ in 0..<2000 {
      var bad = bytes
      bad[.random(in: bad.indices)] = .random(in: 0...255)
      _ = DHCPLeaseFile(String(decoding: bad, as: UTF8.self))
    }
  }
}
