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
  /// Specification: `portMappings`.
  public var portMappings: [PortMapping] {
    get throws(ProtocolError) {
      try fields.each("portMappings") { element throws(ProtocolError) in
        try PortMapping(element)
      }
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

  init(_ fields: JSONFields) throws(ProtocolError) {
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
