internal import Addressing
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink

/// What somebody sees who looks around in a network namespace, a line for each thing.
struct Sight {
  private let lines: [String]

  /// Looks around where the thread stands.
  ///
  /// - Throws: `NetlinkError` or `SystemError` when something cannot be read.
  init() throws {
    let socket = try NetlinkSocket<RouteFamily>()
    let links = try socket.links()
    func name(_ index: UInt32?) -> String {
      links.first { $0.index == index }?.name.text ?? "another link"
    }
    var lines = links.map { link in
      var line = "link \(link.name): \(link.kind ?? "device"), MTU \(link.mtu)"
      if let address = link.hardwareAddress { line += ", \(address)" }
      if let master = link.masterIndex { line += ", port of \(name(master))" }
      return line + (link.isUp ? ", up" : ", down")
    }
    for entry in try socket.addresses() where !entry.address.address.isLinkLocal {
      lines.append("address \(entry.address) on \(name(entry.linkIndex))")
    }
    for family in IPFamily.allCases {
      for route in try socket.routes(family: family, table: nil)
      where !route.isCached && route.table != .local && route.type == .unicast
        && route.origin != .kernel && !route.destination.first.isLinkLocal
      {
        lines.append(Self.line(route, name(route.linkIndex)))
      }
      for rule in try socket.rules(family) where rule.priority != nil && rule.priority != 0 {
        let source = rule.source.map { " from \($0)" } ?? ""
        lines.append("rule \(rule.priority ?? 0)\(source): table \(rule.table.rawValue)")
      }
    }
    for setting in IPFamily.allCases.map(\.forwardingSetting) {
      do throws(SystemError) {
        lines.append("\(setting.joined(separator: ".")) = \(try Sysctl.read(setting))")
      } catch {
        guard error.errno == .noEntry else { throw error }
      }
    }
    self.lines = try lines + Self.elements()
  }

  /// What was not there at an earlier look, in the order of kinds.
  func news(since earlier: Sight) -> [String] {
    let known = Set(earlier.lines)
    return lines.filter { !known.contains($0) }
  }

  private static func line(_ route: RouteEntry, _ link: String) -> String {
    var line = "route to \(route.destination.isEverything ? "default" : "\(route.destination)")"
    if let gateway = route.gateway { line += " by \(gateway)" }
    line += " on \(link)"
    if route.table != .main { line += " in table \(route.table.rawValue)" }
    return line
  }

  /// The elements of our tables.
  private static func elements() throws -> [String] {
    let socket = try NetlinkSocket<NetfilterFamily>()
    var lines: [String] = []
    for table in [Table.ours, .oursOnBridges] {
      for name in try socket.setNames(in: table).sorted() {
        for element in try socket.elements(of: NamedSet(name, in: table, key: [])) {
          let words = (element.comment ?? "").isEmpty ? "" : " (\(element.comment ?? ""))"
          lines.append("element \(text(element.key.bytes, name)) of \(name) in \(table)\(words)")
        }
      }
    }
    return lines
  }

  /// A key as addresses where the set's name says of which family they are, else in hex.
  private static func text(_ bytes: [UInt8], _ set: String) -> String {
    let width = set.contains("_v4") ? 4 : set.contains("_v6") ? 16 : 0
    guard width > 0, bytes.count % width == 0, !set.hasPrefix("ports"), !set.hasPrefix("host_ports")
    else { return bytes.hexadecimalText() }
    return stride(from: 0, to: bytes.count, by: width).compactMap {
      IPAddress(bytes: bytes[$0..<$0 + width])?.description
    }.joined(separator: " . ")
  }
}
