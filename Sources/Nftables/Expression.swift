public import Addressing

/// One step of a rule: loads something into registers, compares it, or acts.
///
/// The first comparison or lookup that fails ends the rule.
public enum Expression: Hashable, Sendable {
  /// Loads bytes of the packet. `payload`
  case payload(Header, offset: Int, length: Int, into: Register)
  /// Loads what the kernel knows about the packet. `meta`
  case meta(MetaKey, into: Register)
  /// Loads what the kernel knows about the packet's connection. `ct`
  case connection(ConnectionKey, into: Register)
  /// Loads what kind of route leads to the packet's destination. `fib`
  case destinationRouteType(into: Register)
  /// Loads what kind of route leads back to the packet's source. `fib`
  case sourceRouteType(into: Register)
  /// Loads the number of the link that leads to the packet's source, if it is the one it came in
  /// by, or else 0. `fib`
  case reversePathLink(into: Register)
  /// Loads a number that is drawn for the packet. `numgen random`
  case random(NumberRange, into: Register)
  /// Loads a number that is always the same for the same bytes of registers. `hash`, as `jhash`
  case hash(of: Register, length: Int, NumberRange, into: Register)
  /// Loads these bytes. `immediate`
  case constant([UInt8], into: Register)
  /// Keeps the bits of a mask. `bitwise`
  case masked(Register, by: [UInt8])
  /// Sets these bits and keeps all others. `bitwise`
  case withBits(Register, [UInt8])
  /// Goes on if the bytes are these, or are not. `cmp`
  case compare(Register, Comparison, [UInt8])
  /// Goes on if a set holds the key, or does not. `lookup`
  case lookup(Register, in: String, isInverted: Bool)
  /// Goes on with the verdict that a map has for the key. `lookup`
  case verdictLookup(Register, in: String)
  /// Loads the value that a map has for the key, or ends the rule. `lookup`
  case dataLookup(Register, in: String, into: Register)
  /// Writes an element of a timed map, or lets the one that has the key live for so long again.
  ///
  /// An element that is there keeps its value. If the set is full, the rule ends. `dynset`
  case remember(key: Register, value: Register, in: String, milliseconds: UInt64)
  /// Gives the packet a mark. `meta`
  case setMark(from: Register)
  /// Ends the rule with a verdict. `immediate`
  case verdict(Verdict)
  /// Replaces the source by the address of the link it leaves through. `masq`
  case masquerade
  /// The same, with a source port that is drawn anew for each connection. `masq`
  case masqueradeFullyRandom
  /// Ends the packet and tells its sender. `reject`
  case reject(Refusal)
  /// Replaces the destination by an address and a port. `nat`
  case translateDestination(IPFamily, address: Register, port: Register)
  /// Replaces the source by an address. `nat`
  case translateSource(IPFamily, address: Register)

  /// Where bytes of a packet are counted from. `enum nft_payload_bases`
  public enum Header: Hashable, Sendable {
    case link, network, transport
  }

  /// What the kernel knows about a packet. `enum nft_meta_keys`
  public enum MetaKey: Hashable, Sendable {
    /// What its frame says it carries, behind a VLAN's tag.
    case frameProtocol
    /// IPv4 or IPv6.
    case networkProtocol
    /// TCP, UDP and so on.
    case transportProtocol
    /// The name of the link it came in by.
    case inputName
    /// The name of the link it leaves by.
    case outputName
    /// The name of the bridge whose port it came in by; in tables for bridges alone.
    case inputBridgeName
    /// A number that rules give to packets, and that others may read too.
    case mark
  }

  /// What the kernel knows about a connection. `enum nft_ct_keys`
  public enum ConnectionKey: Hashable, Sendable {
    /// What this packet is to it, as ``ConnectionState`` says.
    case state
    /// What has been done to it, as ``ConnectionStatus`` says.
    case status
    /// Where its first packet was sent to.
    case originalDestination(IPFamily)
    /// The port its first packet was sent to.
    case originalDestinationPort
  }

  /// Numbers that follow one another.
  public struct NumberRange: Hashable, Sendable {
    /// The first.
    public let first: UInt32
    /// How many there are.
    public let count: UInt32

    /// Describes numbers.
    ///
    /// - Precondition: there is at least one.
    public init(first: UInt32 = 0, count: UInt32) {
      precondition(count > 0, "no number to choose from")
      self.first = first
      self.count = count
    }
  }

  /// What the sender of a packet is told: `enum nft_reject_types`.
  public enum Refusal: Hashable, Sendable {
    /// That the connection is closed. `RST`
    case tcpReset
    /// That nobody listens there. `ICMP_PORT_UNREACH`, `ICMPV6_PORT_UNREACH`
    case portUnreachable(IPFamily)
    /// That a filter forbids it, in either family. `NFT_REJECT_ICMPX_ADMIN_PROHIBITED`
    case prohibited
  }

  /// How bytes are compared: `enum nft_cmp_ops`.
  public enum Comparison: Hashable, Sendable {
    case equal, notEqual
  }
}

/// One of the sixteen places of four bytes that a rule works with; longer values take several in a
/// row.
///
/// Kernel name: `enum nft_registers`.
public struct Register: Hashable, Sendable {
  /// Its place, 0 to 15.
  public let index: Int

  /// Names a register by its place.
  ///
  /// - Precondition: `index` is 0 to 15.
  public init(_ index: Int) {
    precondition(0...15 ~= index, "a register that does not exist")
    self.index = index
  }

  /// The kernel's number.
  ///
  /// Every fourth also has an older name, `NFT_REG_1` to `NFT_REG_4`. The kernel lists by it, so it
  /// is used here: then what is sent and what is listed look alike.
  var number: UInt32 {
    index % 4 == 0 ? UInt32(1 + index / 4) : UInt32(8 + index)
  }
}
