public import Addressing
public import JSON

/// What an ADD has made, in the shape of the newest specification.
///
/// Older shapes are made of it when it is printed, and read into it; a plugin sees only this one.
public struct PluginResult: Hashable, Sendable {
  /// The interfaces, outside and inside the container.
  public var interfaces: [ResultInterface]
  /// The addresses of those interfaces.
  public var addresses: [ResultAddress]
  /// The routes inside the container.
  public var routes: [ResultRoute]
  /// How names are to be resolved.
  public var dns: DNSSettings
  /// Members that the specification does not know, passed on as they are.
  public var otherMembers: [JSONMember] = []

  /// A result; what is left out is empty.
  public init(
    interfaces: [ResultInterface] = [], addresses: [ResultAddress] = [],
    routes: [ResultRoute] = [], dns: DNSSettings = DNSSettings()
  ) {
    self.interfaces = interfaces
    self.addresses = addresses
    self.routes = routes
    self.dns = dns
  }
}

/// An interface that an ADD has made or used.
public struct ResultInterface: Hashable, Sendable {
  /// Its name where it is.
  public var name: String
  /// Its hardware address as text; empty when it is not told.
  ///
  /// Text, because results of other plugins pass through unchanged, InfiniBand's twenty bytes and
  /// capital letters included.
  public var hardwareAddressText: String
  /// Bytes of payload in a frame; absent when it is not told.
  public var mtu: Int?
  /// The path of the container's namespace; empty for an interface of the host.
  public var sandbox: String
  /// The path of a socket that stands for the interface; empty for none.
  public var socketPath: String
  /// The device on the PCI bus; empty for none.
  public var pciID: String
  /// Members that the specification does not know, passed on as they are.
  public var otherMembers: [JSONMember] = []

  /// An interface; what is left out is not told.
  public init(
    name: String, hardwareAddress: HardwareAddress? = nil, mtu: Int? = nil, sandbox: String = ""
  ) {
    self.name = name
    self.hardwareAddressText = hardwareAddress?.description ?? ""
    self.mtu = mtu
    self.sandbox = sandbox
    self.socketPath = ""
    self.pciID = ""
  }

  /// Its hardware address; `nil` when it is not told or is none of six bytes.
  public var hardwareAddress: HardwareAddress? {
    get {
      do throws(AddressParseError) {
        return try HardwareAddress(hardwareAddressText)
      } catch {
        // Another plugin's text, which need not be of our kind.
        return nil
      }
    }
    set { hardwareAddressText = newValue?.description ?? "" }
  }
}

/// An address that an ADD has given.
public struct ResultAddress: Hashable, Sendable {
  /// The address and the length of its network's prefix.
  public var address: InterfaceAddress
  /// The gateway of that network.
  public var gateway: IPAddress?
  /// The place in ``PluginResult/interfaces`` of the interface that has it.
  public var interface: Int?
  /// Members that the specification does not know, passed on as they are.
  public var otherMembers: [JSONMember] = []

  /// An address.
  public init(address: InterfaceAddress, gateway: IPAddress? = nil, interface: Int? = nil) {
    self.address = address
    self.gateway = gateway
    self.interface = interface
  }
}

/// A route that an ADD has made or asks for.
public struct ResultRoute: Hashable, Sendable {
  /// Where it leads; bits beyond the prefix are kept as they were given.
  public var destination: InterfaceAddress
  /// The next hop; absent stands for the gateway of an address of the same family.
  public var gateway: IPAddress?
  /// Bytes of payload in a frame on this way.
  public var mtu: Int?
  /// The maximum segment size to announce, in bytes.
  public var advmss: Int?
  /// The metric; the smaller one is preferred.
  public var priority: Int?
  /// The routing table.
  public var table: Int?
  /// The scope: 0 is global, 253 the link.
  public var scope: Int?
  /// Members that the specification does not know, passed on as they are.
  public var otherMembers: [JSONMember] = []

  /// A route; what is left out is left to the kernel.
  public init(
    destination: InterfaceAddress, gateway: IPAddress? = nil, mtu: Int? = nil, advmss: Int? = nil,
    priority: Int? = nil, table: Int? = nil, scope: Int? = nil
  ) {
    self.destination = destination
    self.gateway = gateway
    self.mtu = mtu
    self.advmss = advmss
    self.priority = priority
    self.table = table
    self.scope = scope
  }

  /// A route to a whole subnet.
  public init(to subnet: Subnet, gateway: IPAddress? = nil) {
    self.init(
      destination: InterfaceAddress(address: subnet.first, prefix: subnet.prefix),
      gateway: gateway)
  }

  /// Where it leads, as the kernel sees it.
  public var subnet: Subnet { destination.subnet }

  /// IPv4 or IPv6.
  public var family: IPFamily { destination.family }
}
