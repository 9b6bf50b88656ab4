/// Who is measured.
enum Contender: String, CaseIterable {
  case ours
  case upstream
  case floor

  var title: String {
    switch self {
    case .ours: "swift-cni"
    case .upstream: "upstream"
    case .floor: "bare netlink"
    }
  }

  /// The third number of the addresses this one hands out, so that no two share a subnet.
  var subnetNumber: Int {
    switch self {
    case .ours: 94
    case .upstream: 95
    case .floor: 96
    }
  }
}

/// Where the programs are.
struct Programs {
  /// A directory with our plugins under their names.
  var ours: String
  /// The same of upstream's.
  var upstream: String
  /// The yardstick, which also measures memory.
  var floor: String

  func directory(of contender: Contender) -> String {
    contender == .upstream ? upstream : ours
  }

  func path(_ plugin: String, of contender: Contender) -> String {
    contender == .floor ? floor : "\(directory(of: contender))/\(plugin)"
  }
}
