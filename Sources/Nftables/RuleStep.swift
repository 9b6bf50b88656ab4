/// One step of a rule as the kernel lists it, whoever wrote it.
///
/// ``Expression`` says what this house writes; this says what may be found, which is more. What has
/// no word here is kept by its name, so that nobody takes it for something else.
public indirect enum RuleStep: Hashable, Sendable {
  /// Loads bytes of the packet. `payload`
  case payload(Expression.Header, offset: Int, length: Int, into: Register)
  /// Loads what the kernel knows about the packet. `meta`
  case meta(MetaFact, into: Register)
  /// Sets what the kernel knows about the packet. `meta`
  case setMeta(MetaFact, from: Register)
  /// Loads what the kernel knows about the packet's connection. `ct`
  case connection(ConnectionFact, ConnectionDirection?, into: Register)
  /// Sets what the kernel knows about the packet's connection. `ct`
  case setConnection(ConnectionFact, from: Register)
  /// Asks for a route. `fib`
  case route(RouteQuestion, into: Register)
  /// Loads a number that is drawn, or the next of a row. `numgen`
  case draw(Expression.NumberRange, into: Register)
  /// Loads a number that bytes of registers give, or the connection if there are none. `hash`
  case hash(of: Register?, length: Int, Expression.NumberRange, into: Register)
  /// Loads these bytes. `immediate`
  case constant([UInt8], into: Register)
  /// Keeps the bits of a mask, then turns others round. `bitwise`
  case masked(Register, into: Register, mask: [UInt8], exclusiveOr: [UInt8])
  /// Turns numbers of so many bytes from one order into the other. `byteorder`
  case reordered(Register, into: Register, length: Int, size: Int)
  /// Goes on if the bytes compare so. `cmp`
  case compare(Register, Comparison, [UInt8])
  /// Goes on if the bytes lie between these, or do not. `range`
  case range(Register, isInverted: Bool, [UInt8], [UInt8])
  /// Goes on if a set holds the key, or does not. `lookup`
  case lookup(Register, in: String, isInverted: Bool)
  /// Goes on with the verdict that a map has for the key. `lookup`
  case verdictLookup(Register, in: String)
  /// Loads the value that a map has for the key, or ends the rule. `lookup`
  case dataLookup(Register, in: String, into: Register)
  /// Writes to a set, then goes on. `dynset`
  case update(SetUpdate)
  /// Goes on while a rate, a number of connections or of bytes is kept, or only beyond it.
  /// `limit`, `connlimit`, `quota`
  case limit(isBeyond: Bool)
  /// Ends the rule with a verdict. `immediate`
  case verdict(Verdict)
  /// Replaces an address, a port or both. `nat`
  case translate(Translation)
  /// Replaces the source by the address of the link it leaves through. `masq`
  case masquerade(port: Register?)
  /// Replaces the destination by the host itself. `redir`
  case redirect(port: Register?)
  /// Ends the packet and tells its sender. `reject`
  case reject
  /// Hands the packet to a program. `queue`
  case queue
  /// The connection is not to be followed. `notrack`
  case untracked
  /// Changes nothing of where the packet goes: counters, logs and the like.
  case passes(String)
  /// Loads something that has no word here.
  case unknownLoad(String, into: Register)
  /// A condition of iptables. `match`
  case foreignMatch(ForeignPart)
  /// An action of iptables. `target`
  case foreignTarget(ForeignPart)
  /// Something that has no word here.
  case unknown(String)

  /// How bytes are compared, as numbers in network order. `enum nft_cmp_ops`
  public enum Comparison: Hashable, Sendable, CaseIterable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  }

  /// A question about the route to or from an address. `enum nft_fib_result`
  public struct RouteQuestion: Hashable, Sendable {
    /// What is asked.
    public enum Result: Hashable, Sendable {
      case linkIndex, linkName, addressType
    }

    /// What is asked.
    public let result: Result
    /// About the packet's source instead of its destination. `NFTA_FIB_F_SADDR`
    public let isAboutSource: Bool
    /// Only by the link it came in by. `NFTA_FIB_F_IIF`
    public let onlyInput: Bool
    /// Only by the link it leaves by. `NFTA_FIB_F_OIF`
    public let onlyOutput: Bool
    /// Only whether there is one. `NFTA_FIB_F_PRESENT`
    public let asksPresence: Bool
  }

  /// Something written to a set by a rule. `enum nft_dynset_attributes`
  public struct SetUpdate: Hashable, Sendable {
    /// The set.
    public let set: String
    /// Goes on only if it could not be written. `NFT_DYNSET_F_INV`
    public let isInverted: Bool
    /// What is done for each element, such as to count it.
    public let steps: [RuleStep]
  }

  /// What replaces what. `enum nft_nat_attributes`
  public struct Translation: Hashable, Sendable {
    /// The source is replaced, not the destination.
    public let isSource: Bool
    /// The first and the last of the addresses to choose from; none if it stays.
    public let addresses: Span?
    /// The first and the last of the ports to choose from; none if it stays, or is chosen freely.
    public let ports: Span?
    /// Only as many bits are replaced as two networks differ in. `NF_NAT_RANGE_NETMAP`
    public let keepsHostPart: Bool
  }

  /// Two registers that hold the first and the last of a range.
  public struct Span: Hashable, Sendable {
    /// The first.
    public let first: Register
    /// The last; the same register if there is but one.
    public let last: Register
  }

  /// A part of iptables that nf_tables carries for it. `enum nft_match_attributes`
  public struct ForeignPart: Hashable, Sendable {
    /// Its name, as after `-m` or `-j`.
    public let name: String
    /// Which of its forms it is in.
    public let revision: UInt32
    /// Its own data, as its C structure lies in memory.
    public let data: [UInt8]

    /// Describes a part.
    public init(name: String, revision: UInt32, data: [UInt8]) {
      self.name = name
      self.revision = revision
      self.data = data
    }
  }
}
