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
    let number = family == .v4 ? Table.Family.ipv4.number : Table.Family.ipv6.number
    return Match(expressions: [
      .meta(.networkProtocol, into: Register(0)), .compare(Register(0), .equal, [number]),
    ])
  }

  /// The destination lies in this network.
  ///
  /// nft: `ip daddr 224.0.0.0/4`
  public static func destination(isIn subnet: Subnet) -> Match {
    let whole = subnet.prefix.length / 8
    let offset = subnet.family.destinationOffset
    let first = subnet.first.bytes
    // Whole bytes need no mask, so no more than them is read; nft does the same.
    if subnet.prefix.length % 8 == 0, whole > 0 {
      return Match(expressions: [
        .payload(.network, offset: offset, length: whole, into: Register(0)),
        .compare(Register(0), .equal, Array(first.prefix(whole))),
      ])
    }
    return Match(
      expressions: Field.destinationNetwork(subnet.prefix).load(into: Register(0))
        + [.compare(Register(0), .equal, first)])
  }

  /// A set holds these fields side by side.
  ///
  /// nft: `ip saddr . ip daddr @pairs`
  public static func fields(_ fields: Field..., areIn set: NamedSet) -> Match {
    Match(fields, in: set.name, isInverted: false)
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
