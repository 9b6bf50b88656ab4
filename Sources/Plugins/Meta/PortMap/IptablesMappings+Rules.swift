import Addressing
import CNI
import Iptables
import Plumbing

/// What the rules of a container say.
extension IptablesMappings {
  /// The rules of a container's own chain, in words that iptables lists again as they are.
  static func rules(_ forwards: [PortForward], _ settings: PortMapConfiguration)
    -> [[String]]
  {
    forwards.flatMap { forward -> [[String]] in
      let single = forward.family == .v4 ? 32 : 128
      var base = ["-p", forward.transport.name, "--dport", "\(forward.hostPort)"]
      if let address = forward.hostAddress { base += ["-d", "\(address)/\(single)"] }
      var rules: [[String]] = []
      if settings.masquerades {
        let mark = ["-j", settings.foreignMarkChain ?? marking]
        if settings.masqueradesAll {
          rules.append(base + mark)
        } else {
          rules.append(base + ["-s", "\(forward.pod.subnet)"] + mark)
          if forward.family == .v4 { rules.append(base + ["-s", "127.0.0.1/32"] + mark) }
        }
      }
      let target = "\(forward.pod.address)"
      let place =
        forward.family == .v4 ? "\(target):\(forward.podPort)" : "[\(target)]:\(forward.podPort)"
      rules.append(base + ["-j", "DNAT", "--to-destination", place])
      return rules
    }
  }

  /// A rule that leads to a container's chain: as it is, and without the user's conditions.
  struct Entry {
    let plain: [String]
    let comment: String

    /// The rule with the user's conditions.
    func words(_ conditions: [String]) -> [String] {
      let jump = plain.suffix(2)
      return ["-m", "comment", "--comment", comment, "-m", "multiport"] + plain.dropLast(2)
        + conditions + jump
    }
  }

  /// The rules that lead to a container's chain, as many as its ports need.
  static func entries(_ settings: PortMapConfiguration, _ attachment: Attachment)
    -> [Entry]
  {
    let comment = comment(attachment.network, attachment.container)
    var entries: [Entry] = []
    for transport in Transport.allCases.sorted(by: { $0.name < $1.name }) {
      var ports: [String] = []
      for mapping in settings.mappings where Transport(mapping.transport) == transport {
        let port = "\(mapping.hostPort)"
        if !ports.contains(port) { ports.append(port) }
      }
      for start in stride(from: 0, to: ports.count, by: portsInRule) {
        let some = ports[start..<min(start + portsInRule, ports.count)].joined(separator: ",")
        entries.append(
          Entry(
            plain: [
              "-p", transport.name, "--dports", some, "-j", chainNames(attachment)[0],
            ], comment: comment))
      }
    }
    return entries
  }
}
