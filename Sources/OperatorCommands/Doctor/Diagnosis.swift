internal import CNI
internal import CNIRuntime
internal import Linux

/// All that was found on a node, gathered once, shown in any form.
///
/// Nothing is changed by it.
struct Diagnosis {
  /// One network: how many pods are on it, and what its pools hold.
  struct Network: Equatable {
    var name: String
    var pods: Int
    var pools: [Pool]
  }

  private(set) var networks: [Network] = []
  private(set) var findings: [Finding] = []
  let inventory: NodeInventory

  /// Looks at a node, or at one of its networks.
  ///
  /// - Parameters:
  ///   - paths: where everything is.
  ///   - network: the only network to look at; nil for all, and for the node as a whole.
  ///   - patience: after how long to look again where something seems to have no owner.
  /// - Throws: ``OperatorFailure`` if there is no such network.
  init(_ paths: DoctorPaths, network: String?, patience: Duration) throws {
    var inventory = NodeInventory(paths)
    if let network, !inventory.networks.contains(network) {
      throw OperatorFailure("there is no network \(network)")
    }
    var suspects = Strays.suspects(in: inventory)
    if !suspects.isEmpty, patience > .zero {
      // A pod that is just being started or deleted is no stray.
      MonotonicTime.sleep(for: patience)
      inventory = NodeInventory(paths)
      suspects.formIntersection(Strays.suspects(in: inventory))
    }
    self.inventory = inventory
    findings = inventory.findings
    if !suspects.isEmpty { findings += Strays(inventory).findings(about: suspects) }
    var checks = PodChecks(paths.runner, inventory)
    findings += checks.findings(on: network)
    let networkChecks = NetworkChecks(runner: paths.runner, inventory: inventory)
    for list in inventory.lists where list.name.text == network ?? list.name.text {
      findings += networkChecks.findings(on: list)
    }
    if network == nil { findings += NodeChecks(paths: paths, inventory: inventory).findings }
    if let network { findings.removeAll { $0.network != nil && $0.network != network } }
    findings = Diagnosis.inOrder(findings)
    for name in inventory.networks where name == network ?? name {
      let list = inventory.list(of: name)
      networks.append(
        Network(
          name: name,
          pods: inventory.pods.count {
            $0.attachment.network.text == name && $0.state != .gone
          },
          pools: list.map { Pool.all(of: $0, inventory.leases[name] ?? []) } ?? []))
    }
  }

  /// The worst first, then by network and kind; what is said twice is said once.
  private static func inOrder(_ findings: [Finding]) -> [Finding] {
    var once: [Finding] = []
    for finding in findings where !once.contains(where: { finding.repeats($0) }) {
      once.append(finding)
    }
    return once.sorted { left, right in
      if left.kind.severity != right.kind.severity {
        return left.kind.severity > right.kind.severity
      }
      return left.sortKey.lexicographicallyPrecedes(right.sortKey)
    }
  }

  var worst: Finding.Severity? { findings.map(\.kind.severity).max() }

  /// As monitoring has it: 0 for nothing but notes, 1 for warnings, 2 for errors.
  var exitStatus: Int32 {
    switch worst {
    case nil, .note: 0
    case .warning: 1
    case .error: 2
    }
  }
}

extension NodeInventory {
  /// The names of all networks that there is a list for, or a pod, or a lease.
  var networks: [String] {
    Set(
      lists.map(\.name.text) + pods.map(\.attachment.network.text)
        + leases.filter { !$0.value.isEmpty }.keys
    )
    .sorted()
  }
}

extension Finding {
  fileprivate var sortKey: [String] {
    [network ?? "", kind.rawValue, pod ?? attachment?.container.text ?? "", what]
  }

  /// Whether it says the same as another; pods of one network tell alike what is wrong with the host.
  fileprivate func repeats(_ other: Finding) -> Bool {
    kind == other.kind && network == other.network && attachment == other.attachment
      && what == other.what && place == other.place
  }
}
