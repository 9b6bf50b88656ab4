internal import Addressing
internal import CNI
internal import JSON

extension Diagnosis {
  /// The findings for people: the worst first, those alike together.
  var text: String {
    var blocks = [networks.map(\.line).joined(separator: "\n")].filter { !$0.isEmpty }
    for group in groups { blocks.append(Diagnosis.block(group)) }
    return (blocks + [summary]).joined(separator: "\n\n")
  }

  /// How many of each, or that all is well.
  var summary: String {
    let counts = [Finding.Severity.error, .warning, .note].compactMap { severity -> String? in
      let count = findings.count { $0.kind.severity == severity }
      guard count > 0 else { return nil }
      return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }
    return counts.isEmpty ? "all is well" : counts.joined(separator: ", ")
  }

  /// Findings of one kind with one remedy.
  private var groups: [[Finding]] {
    var groups: [[Finding]] = []
    for finding in findings {
      let place = groups.firstIndex { group in
        group[0].kind == finding.kind && group[0].network == finding.network
          && group[0].remedy == finding.remedy
      }
      if let place { groups[place].append(finding) } else { groups.append([finding]) }
    }
    return groups
  }

  /// How many of a group are told in full.
  private static let shown = 5

  private static func block(_ group: [Finding]) -> String {
    let first = group[0]
    var lines = [
      "\(first.kind.severity.rawValue.uppercased()) \(first.kind.rawValue)"
        + (first.network.map { " on network \($0)" } ?? "")
    ]
    for finding in group.prefix(shown) {
      lines.append("  what:   \(finding.what)")
      lines.append("  where:  \(finding.place)")
    }
    if group.count > shown { lines.append("  ...     and \(group.count - shown) more like these") }
    lines.append("  why:    \(first.kind.why)")
    lines.append("  remedy: \(first.remedy)")
    return lines.joined(separator: "\n")
  }

  /// The report as JSON; keys are only ever added.
  var json: JSONValue {
    [
      "status": .string(worst?.rawValue ?? "ok"),
      "networks": .array(networks.map(\.json)),
      "findings": .array(findings.map(\.json)),
    ]
  }
}

extension Diagnosis.Network {
  fileprivate var line: String {
    let pools = pools.map { pool in
      "\(pool.used) of \(pool.total.map(String.init) ?? "countless") addresses taken"
    }
    return (["\(name): \(pods) \(pods == 1 ? "pod" : "pods")"] + pools).joined(separator: ", ")
  }

  fileprivate var json: JSONValue {
    [
      "name": .string(name), "pods": .integer(pods),
      "pools": .array(
        pools.map { pool in
          [
            "ranges": .string(pool.ranges), "used": .integer(pool.used),
            "total": pool.total.map { .integer($0) } ?? .null,
          ]
        }),
    ]
  }
}

extension Finding {
  fileprivate var json: JSONValue {
    [
      "kind": .string(kind.rawValue),
      "severity": .string(kind.severity.rawValue),
      "network": network.map(JSONValue.string) ?? .null,
      "container": attachment.map { .string($0.container.text) } ?? .null,
      "interface": attachment.map { .string($0.interface.text) } ?? .null,
      "pod": pod.map(JSONValue.string) ?? .null,
      "what": .string(what),
      "where": .string(place),
      "why": .string(kind.why),
      "remedy": .string(remedy),
      "repairable": .bool(mend != nil),
    ]
  }
}
