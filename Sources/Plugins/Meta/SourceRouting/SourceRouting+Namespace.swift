import Addressing
import CNI
import JSON
import Linux
import Netlink
import Plumbing
import RouteNetlink

// What the plugin works on: the configuration, the result, and the container's namespace.

extension SourceRouting {
  /// The table that the configuration names; nil for tables of the plugin's own.
  static func table(_ request: Request) throws(ProtocolError) -> RouteTable? {
    let number = try request.configuration.fields.read { fields throws(JSONFieldError) in
      try fields.integer("table", as: UInt32.self)
    }
    guard let number else { return nil }
    guard number != 0 else {
      throw ProtocolError(
        .invalidConfiguration, "table: 0 is no routing table",
        details: "leave the key out for tables of the plugin's own")
    }
    return RouteTable(rawValue: number)
  }

  /// The previous result and the interface's addresses in it.
  static func attached(
    _ request: Request
  ) throws(ProtocolError) -> (PluginResult, [ResultAddress]) {
    let result = try request.resultBefore(orElse: "This plugin must be called as chained plugin")
    let interface = try request.attachment.interface
    let addresses = result.addresses(of: interface)
    guard !addresses.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "No IP addresses supplied on interface: \(interface)",
        details: "the plugins before sbr gave the interface none")
    }
    return (result, addresses)
  }

  /// The interface and the addresses that DEL is about; no interface when it has gone.
  static func remains(
    of request: Request, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> (Link?, Set<IPAddress>) {
    let interface = try request.attachment.interface
    var addresses: Set<IPAddress> = []
    do throws(ProtocolError) {
      let told = try request.previousResult()?.addresses(of: interface) ?? []
      addresses = Set(told.map(\.address.address))
    } catch {
      // DEL must do with what there is.
    }
    do throws(NetlinkError) {
      guard let link = try worlds.container.findLink(named: interface) else {
        return (nil, addresses)
      }
      let present = try worlds.container.addresses(ofLink: link.index)
      return (link, addresses.union(present.map(\.address.address)))
    } catch {
      throw ProtocolError(error)
    }
  }

  static func link(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    do {
      return try worlds.container.link(named: interface)
    } catch {
      throw ProtocolError(error, "Cannot find network interface \(interface)")
    }
  }

  /// All routes and rules of the container's namespace, which has few.
  static func everything(
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> ([RouteEntry], [RuleEntry]) {
    var routes: [RouteEntry] = []
    var rules: [RuleEntry] = []
    do throws(NetlinkError) {
      for family in IPFamily.allCases {
        routes += try worlds.container.routes(family: family, table: nil)
        rules += try worlds.container.rules(family)
      }
    } catch {
      throw ProtocolError(error, "Failed to list all rules and routes")
    }
    return (routes, rules)
  }

  /// Takes something away; that it has gone already is no error.
  static func forget(
    _ message: Message, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    do throws(NetlinkError) {
      try worlds.container.exchange(message)
    } catch {
      guard error.isNotFound else { throw ProtocolError(error) }
    }
  }
}

extension PluginResult {
  /// The addresses of an interface: those that name it, and those of which nobody can tell.
  func addresses(of interface: InterfaceName) -> [ResultAddress] {
    addresses.filter { address in
      guard let place = address.interface, interfaces.indices.contains(place) else { return true }
      return interfaces[place].name == interface.text
    }
  }
}
