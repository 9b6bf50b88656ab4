import Linux

@testable import DHCPClient

extension FuzzTarget {
  /// A message is sent as it was read, and what a lease says of it can be asked.
  static let dhcpv4 = FuzzTarget("dhcpv4") { bytes in
    guard let message = reading({ try DHCPMessage(bytes) }) else { return nil }
    guard reading({ try DHCPMessage(message.bytes) }) == message else {
      return "what was written is not what was read"
    }
    _ = (message.kind, message.server)
    let start = BootTime(sinceBoot: .seconds(100))
    guard let lease = reading({ try DHCPLease(message, askedAt: start) }) else { return nil }
    _ = (lease.interfaceAddress, lease.routers, lease.nameServers, lease.timeServers, lease.routes)
    _ = (lease.domainName, lease.hostName, lease.searchDomains, lease.interfaceMTU)
    return nil
  }

  /// The same for the other family.
  static let dhcpv6 = FuzzTarget("dhcpv6") { bytes in
    guard let message = DHCPv6Message(bytes) else { return nil }
    guard DHCPv6Message(message.bytes) == message else {
      return "what was written is not what was read"
    }
    _ = DHCPv6Lease(message, askedAt: BootTime(sinceBoot: .seconds(100)))
    return nil
  }

  /// The file of a lease is written as it was read.
  static let dhcpLease = FuzzTarget("dhcp-lease") { bytes in
    guard let file = DHCPLeaseFile(String(decoding: bytes, as: UTF8.self)) else { return nil }
    return DHCPLeaseFile(file.text) == file ? nil : "what was written is not what was read"
  }
}
