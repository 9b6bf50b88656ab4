import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host with an egress policy, and somebody outside who has many addresses and few ports.
///
///     pods of foo ── host 192.0.2.1, 2001:db8::1 ── 192.0.2.2 …, 2001:db8::2 …, ports 40000 to 40999
final class EgressLab: Sendable {
  let node: FirewallLab
  let outside: FreshNamespace

  var lab: PluginLab { node.lab }

  /// A host on which `firewall` has this policy, and these keys besides.
  init(_ policy: JSONValue, _ keys: JSONObject = [:]) throws {
    node = try FirewallLab(keys.with("egressPolicy", policy))
    outside = try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    try outside.run {
      for last in [4, 17, 33] {
        try TestProgram.ip("addr add 192.0.2.\(last)/24 dev eth0")
        try TestProgram.ip("addr add 2001:db8::\(last)/64 dev eth0 nodad")
      }
      try Sysctl.write(["net", "ipv4", "ip_local_port_range"], "40000 40999")
    }
    try show("1")
  }

  /// Shows packets between ports of bridges to the packet filter, or not; false where that cannot be
  /// chosen.
  @discardableResult
  func show(_ value: String) throws -> Bool {
    try lab.host.run {
      guard try File.status(of: "/proc/sys/net/bridge/bridge-nf-call-iptables") != nil else {
        return false
      }
      for name in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
        try Sysctl.write(["net", "bridge", name], value)
      }
      return true
    }
  }

  /// The address of somebody outside: `192.0.2.17` or `2001:db8::17`.
  static func address(_ last: Int, _ family: IPFamily) -> String {
    family == .v4 ? "192.0.2.\(last)" : "2001:db8::\(last)"
  }

  /// Whether bytes get there and back, at last.
  static func reaches(
    _ transport: Traffic.Transport, _ address: String, in listener: borrowing FreshNamespace,
    from speaker: borrowing FreshNamespace
  ) throws -> Bool {
    try Traffic.exchange(transport, from: speaker, to: listener, at: address) != nil
  }

  /// Whether bytes are kept from getting there: at once, and when they are sent again.
  static func isKeptFrom(
    _ transport: Traffic.Transport, _ address: String, in listener: borrowing FreshNamespace,
    from speaker: borrowing FreshNamespace
  ) throws -> Bool {
    for _ in 1...2 {
      let heard = try Traffic.exchange(
        transport, from: speaker, to: listener, at: address, patience: .milliseconds(500))
      if heard != nil { return false }
    }
    return true
  }

  /// The rules and elements that egress policies have on the host.
  func policies() throws -> [String] {
    try lab.host.run {
      try Witness.chains().map(\.name).filter { $0.hasPrefix("firewall_egress_") }
    }
  }
}

extension JSONObject {
  /// The same with another member.
  func with(_ key: String, _ value: JSONValue) -> JSONObject {
    var object = self
    object[key] = value
    return object
  }
}
