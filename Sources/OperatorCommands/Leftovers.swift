internal import Addressing
internal import CNI
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink

/// What stands in a network namespace and below some directories, a line for each thing.
struct Leftovers {
  private let lines: Set<String>

  /// Takes stock in the namespace the thread stands in.
  ///
  /// - Parameter directories: whose files count, at any depth.
  /// - Throws: `NetlinkError` or `SystemError` when something cannot be read.
  init(directories: [String] = []) throws {
    var lines = Set<String>()
    let socket = try NetlinkSocket<RouteFamily>()
    let links = try socket.links()
    for link in links { lines.insert("link \(link.name.text)") }
    // Addresses of the link alone come by themselves, some time after the link.
    for entry in try socket.addresses() where !entry.address.address.isLinkLocal {
      let link = links.first { $0.index == entry.linkIndex }
      lines.insert("address \(entry.address) on \(link?.name.text ?? "?")")
    }
    for family in IPFamily.allCases {
      for route in try socket.routes(family: family) where !route.isCached {
        lines.insert("route to \(route.destination) by link #\(route.linkIndex ?? 0)")
      }
    }
    lines.formUnion(try Leftovers.masqueradeElements())
    for directory in directories { try Leftovers.addFiles(below: directory, to: &lines) }
    self.lines = lines
  }

  /// What has come since an earlier stock, sorted.
  func added(since earlier: Leftovers) -> [String] {
    lines.subtracting(earlier.lines).sorted()
  }

  /// What has gone since an earlier stock, sorted.
  func lost(since earlier: Leftovers) -> [String] {
    earlier.lines.subtracting(lines).sorted()
  }

  /// The elements of our tables: one or more for each pod.
  private static func masqueradeElements() throws -> [String] {
    let socket = try NetlinkSocket<NetfilterFamily>()
    var lines: [String] = []
    for table in [Table.ours, .oursOnBridges] {
      for name in try socket.setNames(in: table) {
        for element in try socket.elements(of: NamedSet(name, in: table, key: [])) {
          let key = element.key.bytes.map { String($0, radix: 16) }.joined(separator: ":")
          lines.append("element \(key) of \(name) in table \(table)")
        }
      }
    }
    return lines
  }

  private static func addFiles(below directory: String, to lines: inout Set<String>) throws {
    guard try File.status(of: directory)?.kind == .directory else { return }
    for name in try Directory.entries(of: directory) {
      let path = "\(directory)/\(name)"
      if try File.status(of: path)?.kind == .directory {
        try addFiles(below: path, to: &lines)
      } else {
        lines.insert("file \(path)")
      }
    }
  }
}
