public import Addressing

/// The first packet of a connection, as it is at one place of its way.
public struct Packet: Hashable, Sendable {
  /// Where it says it comes from.
  public var source: IPAddress
  /// Where it is to go; of the same family.
  public var destination: IPAddress
  /// What it carries.
  public var transport: Transport
  /// The port it is sent from; nil for any that the sender chooses.
  public var sourcePort: UInt16?
  /// The port it is sent to.
  public var destinationPort: UInt16
  /// The number that rules have given it.
  public var mark: UInt32 = 0
  /// The link it came in by; nil if it began here.
  public var input: PacketLink?
  /// The link it leaves by; nil before that is known.
  public var output: PacketLink?
  /// The addresses of its frame, where they are known.
  public var hardwareSource: HardwareAddress?
  /// See ``hardwareSource``.
  public var hardwareDestination: HardwareAddress?
  /// Its connection; nil before it has been looked up, and if nobody follows it.
  public var connection: PacketConnection?
  /// A rule has said that nobody is to follow its connection.
  public var isUntracked = false

  /// Describes a packet that has gone nowhere yet.
  ///
  /// - Precondition: both addresses are of one family.
  public init(
    from source: IPAddress, sourcePort: UInt16? = nil, to destination: IPAddress,
    port destinationPort: UInt16, _ transport: Transport = .tcp
  ) {
    precondition(source.family == destination.family, "addresses of two families")
    self.source = source
    self.destination = destination
    self.transport = transport
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  /// IPv4 or IPv6.
  public var family: IPFamily { destination.family }
}

/// What rules may ask about a link.
public struct PacketLink: Hashable, Sendable {
  /// Its number in its namespace.
  public var index: UInt32
  /// Its name there.
  public var name: String
  /// "veth", "bridge"; nil if it has no such word.
  public var kind: String?
  /// The bridge it is a port of.
  public var bridge: String?

  /// Describes a link.
  public init(index: UInt32, name: String, kind: String? = nil, bridge: String? = nil) {
    self.index = index
    self.name = name
    self.kind = kind
    self.bridge = bridge
  }
}

/// A connection as the kernel keeps it while its first packet is on its way.
public struct PacketConnection: Hashable, Sendable {
  /// What the first packet said when it was first seen.
  public let source: IPAddress
  /// See ``source``.
  public let destination: IPAddress
  /// See ``source``.
  public let sourcePort: UInt16?
  /// See ``source``.
  public let destinationPort: UInt16
  /// The number that rules have given it; nil if that cannot be told.
  public var mark: UInt32? = 0
  /// Its source has been replaced.
  public var sourceIsTranslated = false
  /// Its destination has been replaced.
  public var destinationIsTranslated = false

  init(of packet: Packet) {
    source = packet.source
    destination = packet.destination
    sourcePort = packet.sourcePort
    destinationPort = packet.destinationPort
  }
}

extension Packet: CustomStringConvertible {
  /// From where to where, as people write it: `10.1.0.2 → 10.1.0.3:80/tcp`.
  public var description: String {
    let from = sourcePort.map { source.withPort($0) } ?? "\(source)"
    return "\(from) → \(destination.withPort(destinationPort))/\(transport.name)"
  }
}

extension IPAddress {
  /// Address and port as people write them: `10.1.0.2:80`, `[fd00::2]:80`.
  public func withPort(_ port: UInt16) -> String {
    family == .v4 ? "\(self):\(port)" : "[\(self)]:\(port)"
  }
}
