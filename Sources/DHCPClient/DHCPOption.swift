/// What an option of a DHCP message is about.
///
/// RFC 2132, section 9.6 for the kinds of messages; the numbers are IANA's.
public struct DHCPOption: RawRepresentable, Hashable, Sendable {
  /// IANA's number.
  public let rawValue: UInt8

  /// Any number.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A filler without length.
  static let pad = DHCPOption(rawValue: 0)
  /// The mask of the client's subnet.
  public static let subnetMask = DHCPOption(rawValue: 1)
  /// Routers on the client's subnet, in order of preference.
  public static let routers = DHCPOption(rawValue: 3)
  /// Name servers, in order of preference.
  public static let nameServers = DHCPOption(rawValue: 6)
  /// The client's name.
  public static let hostName = DHCPOption(rawValue: 12)
  /// The domain for short names.
  public static let domainName = DHCPOption(rawValue: 15)
  /// The size of the largest packet on the link.
  public static let interfaceMTU = DHCPOption(rawValue: 26)
  /// Routes to classful networks.
  public static let staticRoutes = DHCPOption(rawValue: 33)
  /// Time servers.
  public static let timeServers = DHCPOption(rawValue: 42)
  /// The address that the client would like to have.
  public static let requestedAddress = DHCPOption(rawValue: 50)
  /// How long the lease lasts, in seconds.
  public static let leaseTime = DHCPOption(rawValue: 51)
  /// The fields for file and server name hold options too.
  static let overload = DHCPOption(rawValue: 52)
  /// What kind of message it is.
  public static let messageKind = DHCPOption(rawValue: 53)
  /// Which server has answered, or is meant.
  public static let serverIdentifier = DHCPOption(rawValue: 54)
  /// Which options the client would like to be told.
  public static let parameterRequestList = DHCPOption(rawValue: 55)
  /// Why a server or client refuses.
  public static let message = DHCPOption(rawValue: 56)
  /// The longest message that the client takes.
  public static let maximumMessageSize = DHCPOption(rawValue: 57)
  /// T1: when the lease is to be renewed, in seconds.
  public static let renewalTime = DHCPOption(rawValue: 58)
  /// T2: when other servers are to be asked as well, in seconds.
  public static let rebindingTime = DHCPOption(rawValue: 59)
  /// What kind of client it is.
  public static let vendorClass = DHCPOption(rawValue: 60)
  /// Who the client is.
  public static let clientIdentifier = DHCPOption(rawValue: 61)
  /// Which class of users the client belongs to.
  public static let userClass = DHCPOption(rawValue: 77)
  /// Domains to search, compressed. RFC 3397
  public static let domainSearch = DHCPOption(rawValue: 119)
  /// Routes to networks of any size. RFC 3442
  public static let classlessRoutes = DHCPOption(rawValue: 121)
  /// The end of the options.
  static let end = DHCPOption(rawValue: 255)

  /// Whether the protocol itself sets the option, so that nobody else may.
  public var belongsToProtocol: Bool {
    [
      .pad, .requestedAddress, .overload, .messageKind, .serverIdentifier, .parameterRequestList,
      .maximumMessageSize, .end,
    ].contains(self)
  }
}

/// The options of a message, each once.
public struct DHCPOptions: Hashable, Sendable {
  private var values: [(option: DHCPOption, bytes: [UInt8])] = []

  /// No options.
  public init() {}

  /// The bytes of an option; setting nil removes it.
  public subscript(option: DHCPOption) -> [UInt8]? {
    get { values.first { $0.option == option }?.bytes }
    set {
      let place = values.firstIndex { $0.option == option }
      switch (place, newValue) {
      case (let place?, let bytes?): values[place].bytes = bytes
      case (let place?, nil): values.remove(at: place)
      case (nil, let bytes?): values.append((option, bytes))
      case (nil, nil): ()
      }
    }
  }

  /// Takes the options of one field of a message.
  ///
  /// An option that comes several times is one option in several parts (RFC 3396).
  ///
  /// - Throws: ``DHCPMessageError`` when an option reaches beyond the field.
  mutating func take(_ field: ArraySlice<UInt8>) throws(DHCPMessageError) {
    var rest = field
    while let number = rest.popFirst() {
      let option = DHCPOption(rawValue: number)
      if option == .end { return }
      if option == .pad { continue }
      guard let length = rest.popFirst(), rest.count >= Int(length) else {
        throw .optionTooLong(number)
      }
      self[option] = (self[option] ?? []) + rest.prefix(Int(length))
      rest = rest.dropFirst(Int(length))
    }
  }

  /// The options as they are sent, with their end; long ones in parts.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for (option, value) in values {
      var rest = value[...]
      repeat {
        let part = rest.prefix(255)
        bytes += [option.rawValue, UInt8(part.count)] + part
        rest = rest.dropFirst(part.count)
      } while !rest.isEmpty
    }
    return bytes + [DHCPOption.end.rawValue]
  }

  /// Whether both have the same options in the same order.
  public static func == (left: DHCPOptions, right: DHCPOptions) -> Bool {
    left.values.elementsEqual(right.values) { $0 == $1 }
  }

  /// Feeds all options.
  public func hash(into hasher: inout Hasher) {
    for (option, bytes) in values {
      hasher.combine(option)
      hasher.combine(bytes)
    }
  }
}
