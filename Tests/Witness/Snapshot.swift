import CLinux
import Glibc

/// All of the calling thread's network namespace, as lines of text in a fixed order.
///
/// Two snapshots are equal when nothing has been left behind. What changes without anybody's hand
/// is left out: carrier and operational state, handles and counters of nftables, the progress of
/// duplicate address detection, and the link-local addresses, multicast and anycast routes, and
/// neighbours that the kernel makes by itself. Links are told by name, since no index is given
/// twice.
public func snapshot() throws(WitnessError) -> [String] {
  let links = try links()
  let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
  func name(_ index: UInt32?) -> String { index.map { names[$0] ?? "#\($0)" } ?? "-" }

  var lines: [String] = links.map { link in
    line(
      "link", link.name, link.kind ?? "-",
      "flags \(String(link.flags & ~carrierFlags, radix: 16))",
      "mtu \(link.mtu)", "queue \(link.queueLength)", link.hardwareAddress,
      "master \(name(link.master))",
      "peer \(link.peerNamespace == nil ? name(link.peer) : "elsewhere")",
      "alias \(link.alias ?? "-")", "promiscuity \(link.promiscuity)",
      link.vlanID.map { "vlan \($0)" },
      link.vxlan.map {
        "tunnel \($0.identifier) from \($0.local ?? "-") port \($0.port) learning \($0.learns)"
      },
      link.bridge.map { "filtering \($0.filtersVLANs) pvid \($0.defaultVLAN)" },
      link.port.map { "hairpin \($0.hairpin) isolated \($0.isolated) learning \($0.learning)" })
  }
  lines += try addresses().filter { !$0.address.hasPrefix("fe80:") }.map {
    line(
      "address", name($0.linkIndex), $0.text, "peer \($0.peer ?? "-")", "scope \($0.scope)",
      "flags \(String($0.flags & ~UInt32(IFA_F_TENTATIVE), radix: 16))")
  }
  lines += try routes().filter { !$0.isMadeByKernelAlone }.map { route in
    line(
      "route", route.destination, "via \(route.gateway ?? "-")", "on \(name(route.linkIndex))",
      "from \(route.preferredSource ?? "-")", "table \(route.table)",
      "priority \(route.priority)", "scope \(route.scope)", "type \(route.type)",
      "origin \(route.origin)",
      "metrics \(route.metrics.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })",
      "hops \(route.nextHops.map { "\($0.gateway ?? "-") \(name($0.linkIndex))" })")
  }
  lines += try rules().map {
    line(
      "rule", "ip\($0.family)", "\($0.priority)", "from \($0.source ?? "-")",
      "to \($0.destination ?? "-")", "in \($0.inputLink ?? "-")", "out \($0.outputLink ?? "-")",
      "mark \($0.mark ?? 0)", "table \($0.table)", "action \($0.action)")
  }
  lines += try neighbours().filter(\.isPermanent).map {
    line(
      "neighbour", name($0.linkIndex), $0.address, $0.hardwareAddress ?? "-",
      $0.origin.map { "origin \($0)" })
  }
  lines += try forwardings().filter(\.isPermanent).map {
    line("forwarding", name($0.linkIndex), $0.hardwareAddress, "to \($0.remote)")
  }
  lines += try bridgeVLANs().map {
    line(
      "vlan", name($0.linkIndex), "\($0.id)", $0.isNative ? "native" : nil,
      $0.isUntagged ? "untagged" : nil)
  }
  lines += try queues().map {
    line(
      "queue", name($0.linkIndex), $0.kind, String($0.handle, radix: 16),
      String($0.parent, radix: 16))
  }
  return try lines.sorted() + rulesetLines()
}

/// Set and cleared by whoever is at the other end: IFF_RUNNING, IFF_LOWER_UP, IFF_DORMANT.
private let carrierFlags = UInt32(IFF_RUNNING) | 1 << 16 | 1 << 17

extension SeenRoute {
  /// Link-local, multicast and anycast routes of IPv6, and the local ones of its addresses, come
  /// when duplicate address detection ends or forwarding begins.
  fileprivate var isMadeByKernelAlone: Bool {
    family == 6 && origin == UInt8(RTPROT_KERNEL)
      && (destination.hasPrefix("fe80:") || destination.hasPrefix("ff00:")
        || type != UInt8(RTN_UNICAST))
  }
}

/// What is in one snapshot and not in the other, marked with `+` and `-`.
///
/// Empty when nothing changed.
public func difference(from before: [String], to after: [String]) -> [String] {
  after.difference(from: before).map { change in
    switch change {
    case .insert(_, let line, _): "+ \(line)"
    case .remove(_, let line, _): "- \(line)"
    }
  }
}

/// Rules stay in the kernel's order within their chain, since their order is their meaning.
private func rulesetLines() throws(WitnessError) -> [String] {
  let tables = try tables()
  guard !tables.isEmpty else { return [] }
  var lines = tables.map { line("table", $0.family, $0.name, $0.comment) }
  lines += try chains().map {
    line(
      "chain", $0.family, $0.table, $0.name, $0.type, $0.hook.map { "hook \($0)" },
      $0.priority.map { "priority \($0)" }, $0.policy.map { "policy \($0)" }, $0.comment)
  }
  lines += try sets().filter { !$0.isAnonymous }.map {
    line(
      "set", $0.family, $0.table, $0.name, "flags \($0.flags)", "key \($0.keyType)",
      $0.dataType.map { "data \($0)" }, $0.comment)
  }
  lines += try elements().filter { !$0.set.hasPrefix("__") }.map {
    line(
      "element", $0.family, $0.table, $0.set, $0.key.hex, $0.keyEnd?.hex, $0.value?.hex,
      $0.verdict.map { "verdict \($0.code) \($0.chain ?? "")" }, "flags \($0.flags)",
      "owner \($0.userData.hex)")
  }
  var rules: [String: [String]] = [:]
  for rule in try nftablesRules() {
    let chain = line("rules of", rule.family, rule.table, rule.chain)
    let text = rule.expressions.map { $0.name == "counter" ? $0.name : "\($0.name)=\($0.data.hex)" }
    rules[chain, default: []].append(
      (text + [rule.comment].compactMap { $0 }).joined(separator: " "))
  }
  let numbered = rules.sorted { $0.key < $1.key }.flatMap { chain, rules in
    rules.enumerated().map { "\(chain) \($0.offset): \($0.element)" }
  }
  return lines.sorted() + numbered
}

private func line(_ parts: String?...) -> String {
  parts.compactMap { $0 }.joined(separator: " ")
}
