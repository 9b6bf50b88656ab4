public import Addressing

/// A condition on packets, as it would be read aloud: the steps that test it.
public struct Match: Hashable, Sendable {
  /// The steps, in order.
  public let expressions: [Expression]

  /// The packet is of this family.
  ///
  /// In a table for both families this comes before anything that reads addresses.
  ///
  /// nft: `meta nfproto ipv4`, which it prints only when nothing else in the rule says so.
  public static func family(_ family: IPFamily) -> Match {
    Match(expressions: [
      .meta(.networkProtocol, into: Register(0)),
      .compare(Register(0), .equal, [family.table.number]),
    ])
  }

  /// The destination lies in this network.
  ///
  /// nft: `ip daddr 224.0.0.0/4`
  public static func destination(isIn subnet: Subnet) -> Match {
    address(.destinationNetwork(subnet.prefix), at: subnet.family.destinationOffset, .equal, subnet)
  }

  /// The destination does not lie in this network.
  ///
  /// nft: `ip daddr != 224.0.0.0/4`
  public static func destination(isNotIn subnet: Subnet) -> Match {
    address(
      .destinationNetwork(subnet.prefix), at: subnet.family.destinationOffset, .notEqual, subnet)
  }

  /// The source lies in this network.
  ///
  /// nft: `ip saddr 10.0.0.0/8`
  public static func source(isIn subnet: Subnet) -> Match {
    address(.sourceNetwork(subnet.prefix), at: subnet.family.sourceOffset, .equal, subnet)
  }

  /// The source does not lie in this network.
  ///
  /// nft: `ip saddr != 10.0.0.0/8`
  public static func source(isNotIn subnet: Subnet) -> Match {
    address(.sourceNetwork(subnet.prefix), at: subnet.family.sourceOffset, .notEqual, subnet)
  }

  private static func address(
    _ network: Field, at offset: Int, _ comparison: Expression.Comparison, _ subnet: Subnet
  ) -> Match {
    let whole = subnet.prefix.length / 8
    let first = subnet.first.bytes
    // Whole bytes need no mask, so no more than them is read; nft does the same.
    if subnet.prefix.length % 8 == 0, whole > 0 {
      return Match(expressions: [
        .payload(.network, offset: offset, length: whole, into: Register(0)),
        .compare(Register(0), comparison, Array(first.prefix(whole))),
      ])
    }
    return Match(
      expressions: network.load(into: Register(0)) + [.compare(Register(0), comparison, first)])
  }

  /// The destination is an address of the host itself.
  ///
  /// nft: `fib daddr type local`
  public static let destinationIsLocal = Match(expressions: [
    .destinationRouteType(into: Register(0)),
    .compare(Register(0), .equal, RouteLookupNumber.local.hostBytes),
  ])

  /// The source is an address of the host itself.
  ///
  /// nft: `fib saddr type local`
  public static let sourceIsLocal = Match(expressions: [
    .sourceRouteType(into: Register(0)),
    .compare(Register(0), .equal, RouteLookupNumber.local.hostBytes),
  ])

  /// The first packet of the connection was sent to this address.
  ///
  /// nft: `ct original ip daddr 10.0.0.1`
  public static func originalDestination(is address: IPAddress) -> Match {
    Match(
      expressions: Field.originalDestination(address.family).load(into: Register(0)) + [
        .compare(Register(0), .equal, address.bytes)
      ])
  }

  /// A number drawn for the packet is 0: one packet in so many.
  ///
  /// nft: `numgen random mod 3 0`
  public static func chance(oneIn count: UInt32) -> Match {
    Match(expressions: [
      .random(Expression.NumberRange(count: count), into: Register(0)),
      .compare(Register(0), .equal, UInt32(0).hostBytes),
    ])
  }

  /// The packet is of this transport protocol.
  ///
  /// nft: `meta l4proto tcp`
  public static func transport(_ transport: Transport) -> Match {
    Match(expressions: [
      .meta(.transportProtocol, into: Register(0)),
      .compare(Register(0), .equal, [transport.rawValue]),
    ])
  }

  /// The packet came in by this link.
  ///
  /// nft: `iifname "eth0"`
  public static func inputName(is name: InterfaceName) -> Match {
    link(.inputName, .equal, name)
  }

  /// The packet came in by another link than this.
  ///
  /// nft: `iifname != "eth0"`
  public static func inputName(isNot name: InterfaceName) -> Match {
    link(.inputName, .notEqual, name)
  }

  /// The packet leaves by this link.
  ///
  /// nft: `oifname "eth0"`
  public static func outputName(is name: InterfaceName) -> Match {
    link(.outputName, .equal, name)
  }

  private static func link(
    _ side: Expression.MetaKey, _ comparison: Expression.Comparison, _ name: InterfaceName
  ) -> Match {
    let text = Array(name.text.utf8)
    return Match(expressions: [
      .meta(side, into: Register(0)),
      .compare(Register(0), comparison, text + [UInt8](repeating: 0, count: 16 - text.count)),
    ])
  }

  /// All of these bits of the packet's mark are set.
  ///
  /// nft: `meta mark & 0x00002000 == 0x00002000`
  public static func mark(has bits: UInt32) -> Match {
    Match(expressions: [
      .meta(.mark, into: Register(0)), .masked(Register(0), by: bits.hostBytes),
      .compare(Register(0), .equal, bits.hostBytes),
    ])
  }

  /// The packet's mark is this number.
  ///
  /// nft: `meta mark 0x00000001`
  public static func mark(is number: UInt32) -> Match {
    Match(expressions: [
      .meta(.mark, into: Register(0)), .compare(Register(0), .equal, number.hostBytes),
    ])
  }

  /// The packet's mark is another number.
  ///
  /// nft: `meta mark != 0x00000001`
  public static func mark(isNot number: UInt32) -> Match {
    Match(expressions: [
      .meta(.mark, into: Register(0)), .compare(Register(0), .notEqual, number.hostBytes),
    ])
  }

  /// What the packet is to its connection is one of these.
  ///
  /// nft: `ct state established,related`
  public static func connection(_ state: ConnectionState) -> Match {
    connection(.state, hasOneOf: state.rawValue)
  }

  /// One of these has been done to the packet's connection.
  ///
  /// nft: `ct status dnat`
  public static func connection(_ status: ConnectionStatus) -> Match {
    connection(.status, hasOneOf: status.rawValue)
  }

  private static func connection(
    _ key: Expression.ConnectionKey, hasOneOf bits: UInt32
  ) -> Match {
    Match(expressions: [
      .connection(key, into: Register(0)), .masked(Register(0), by: bits.hostBytes),
      .compare(Register(0), .notEqual, UInt32(0).hostBytes),
    ])
  }

  /// A set holds these fields side by side.
  ///
  /// nft: `ip saddr . ip daddr @pairs`
  public static func fields(_ fields: Field..., areIn set: NamedSet) -> Match {
    Match(fields, in: set.name, isInverted: false)
  }

  /// A map has this number for these fields side by side.
  ///
  /// nft prints the number as bytes of a type it does not know:
  /// `ip daddr . th dport map @numbers 0x7000000 [invalid type]`
  public static func number(of fields: Field..., in map: NamedMap, is number: UInt32) -> Match {
    Match(
      expressions: fields.loadSideBySide + [
        .dataLookup(Register(0), in: map.set.name, into: Register(0)),
        .compare(Register(0), .equal, number.hostBytes),
      ])
  }

  /// A set does not hold these fields side by side.
  ///
  /// nft: `iifname . ether saddr != @pairs`
  public static func fields(_ fields: Field..., areNotIn set: NamedSet) -> Match {
    Match(fields, in: set.name, isInverted: true)
  }
}

extension Match {
  private init(_ fields: [Field], in set: String, isInverted: Bool) {
    expressions = fields.loadSideBySide + [.lookup(Register(0), in: set, isInverted: isInverted)]
  }
}
