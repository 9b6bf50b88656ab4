public import Addressing
public import JSON

/// What the runtime fills in for the capabilities that a plugin has declared.
///
/// Specification: the keys under `runtimeConfig`. containerd writes them with capital letters.
public struct RuntimeConfiguration: Sendable {
  /// The keys, also those that have no name here.
  public let fields: JSONFields

  /// The object under `runtimeConfig`.
  public init(_ fields: JSONFields) {
    self.fields = fields
  }

  /// The addresses asked for, as text: some plugins want a prefix length with them, others do not.
  ///
  /// Specification: `ips`.
  public var addresses: [String] {
    get throws(ProtocolError) {
      try fields.read { fields throws(JSONFieldError) in try fields.texts("ips") } ?? []
    }
  }

  /// The hardware address asked for; `nil` for none and for empty text.
  ///
  /// Specification: `mac`.
  public var hardwareAddress: HardwareAddress? {
    get throws(ProtocolError) {
      let text = try fields.read { fields throws(JSONFieldError) in try fields.text("mac") }
      guard let text, !text.isEmpty else { return nil }
      do throws(AddressParseError) {
        return try HardwareAddress(text)
      } catch {
        throw ProtocolError(error, key: fields.path(of: "mac"))
      }
    }
  }

  /// The ports of the host that lead to the container.
  ///
  /// Specification: `portMappings`. An entry with `range`, which the specification does not have, is
  /// as many mappings of consecutive ports, as Podman's word means; 0 is one, as there.
  public var portMappings: [PortMapping] {
    get throws(ProtocolError) {
      try fields.each("portMappings") { element throws(ProtocolError) in
        try PortMapping.all(element)
      }.flatMap { $0 }
    }
  }

  /// The limits of traffic; `nil` for none.
  ///
  /// Specification: `bandwidth`.
  public var bandwidth: BandwidthLimits? {
    get throws(ProtocolError) {
      try fields.read { fields throws(JSONFieldError) in
        guard let limits = try fields.nested("bandwidth") else { return nil }
        return try BandwidthLimits(limits)
      }
    }
  }
}

/// A port of the host that leads to a port of the container.
public struct PortMapping: Hashable, Sendable {
  /// The port of the host.
  public let hostPort: UInt16
  /// The port of the container.
  public let containerPort: UInt16
  /// The transport protocol as it was written; `tcp` when it was not.
  public let transport: String
  /// The host's address that is listened on; `nil` for all of them.
  public let hostAddress: IPAddress?

  /// The most ports of one entry: each is an element of its own, which keeps connections cheap.
  static let longestRange = 1024

  /// The mappings of an entry.
  static func all(_ fields: JSONFields) throws(ProtocolError) -> [PortMapping] {
    let first = try PortMapping(fields)
    let range = try fields.read { fields throws(JSONFieldError) in try fields.integer("range") }
    guard let range, range != 0, range != 1 else { return [first] }
    let last = Int(max(first.hostPort, first.containerPort)) + range - 1
    guard 1...longestRange ~= range, last <= 65535 else {
      throw ProtocolError(
        .invalidConfiguration,
        "\(fields.path(of: "range")): \(range) ports cannot be mapped at once",
        details: "at most \(longestRange) ports, the last of them at most 65535, make an entry")
    }
    return (0..<UInt16(range)).map { first.moved(by: $0) }
  }

  /// The same mapping so many ports further on.
  private func moved(by distance: UInt16) -> PortMapping {
    PortMapping(
      hostPort: hostPort + distance, containerPort: containerPort + distance,
      transport: transport, hostAddress: hostAddress)
  }

  private init(
    hostPort: UInt16, containerPort: UInt16, transport: String, hostAddress: IPAddress?
  ) {
    self.hostPort = hostPort
    self.containerPort = containerPort
    self.transport = transport
    self.hostAddress = hostAddress
  }

  private init(_ fields: JSONFields) throws(ProtocolError) {
    let ports = try fields.read { fields throws(JSONFieldError) in
      (
        try fields.integer("hostPort", as: UInt16.self),
        try fields.integer("containerPort", as: UInt16.self)
      )
    }
    hostPort = ports.0 ?? 0
    containerPort = ports.1 ?? 0
    let text = try fields.read { fields throws(JSONFieldError) in try fields.text("protocol") }
    transport = text.flatMap { $0.isEmpty ? nil : $0 } ?? "tcp"
    hostAddress = try fields.address("hostIP")
  }
}

/// The limits of a container's traffic: rates in bits per second, bursts in bits; 0 for none.
public struct BandwidthLimits: Hashable, Sendable {
  /// The rate into the container.
  public let ingressRate: UInt64
  /// The burst into the container.
  public let ingressBurst: UInt64
  /// The rate out of the container.
  public let egressRate: UInt64
  /// The burst out of the container.
  public let egressBurst: UInt64

  /// Reads the four keys.
  ///
  /// - Throws: `JSONFieldError` for a value of the wrong kind.
  public init(_ fields: JSONFields) throws(JSONFieldError) {
    ingressRate = try fields.integer("ingressRate", as: UInt64.self) ?? 0
    ingressBurst = try fields.integer("ingressBurst", as: UInt64.self) ?? 0
    egressRate = try fields.integer("egressRate", as: UInt64.self) ?? 0
    egressBurst = try fields.integer("egressBurst", as: UInt64.self) ?? 0
  }
}
