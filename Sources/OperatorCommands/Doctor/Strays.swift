internal import Addressing
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Plumbing

/// What is held for attachments that are no more, or that nobody remembers.
///
/// What shows life is never called garbage: a veth into another namespace, or an address that some
/// namespace of this host has.
struct Strays {
  private let inventory: NodeInventory
  private let living: LivingNamespaces

  /// The owners that may be strays: all that are not remembered with a namespace that is there.
  static func suspects(in inventory: NodeInventory) -> Set<Belonging.Owner> {
    let gone = inventory.pods.filter { $0.state == .gone }.map {
      Belonging.Owner.attachment($0.attachment)
    }
    let present = Set(
      inventory.pods.filter { $0.state != .gone }.map { Belonging.Owner.attachment($0.attachment) })
    return Set(inventory.belongings.map(\.owner)).union(gone).subtracting(present)
  }

  init(_ inventory: NodeInventory) {
    self.inventory = inventory
    living = LivingNamespaces(besides: inventory.pods.map(\.cached.namespacePath))
  }

  /// What the suspects hold.
  func findings(about suspects: Set<Belonging.Owner>) -> [Finding] {
    suspects.flatMap { findings(about: $0) }
  }

  private func findings(about owner: Belonging.Owner) -> [Finding] {
    let holds = inventory.belongings.filter { $0.owner == owner }
    let pod = owner.attachment.flatMap(inventory.pod)
    let isAlive = holds.contains { $0.isProofOfLife || $0.address.map(living.have) == true }
    if pod == nil {
      // It may be just being started, and be remembered when that is done.
      if holds.contains(where: \.isYoung) { return [] }
      if isAlive { return [forgotten(owner, holds)] }
    }
    let mend = isAlive ? nil : mend(owner, pod)
    let remedy = remedy(for: owner, mend, pod)
    var findings: [Finding] = []
    if let pod {
      findings.append(
        Finding(
          kind: .resultWithoutPod, network: pod.attachment.network.text,
          attachment: pod.attachment, pod: pod.name,
          what: isAlive
            ? "the namespace of \(pod.attachment.container) has lost its name, but something holds it"
            : "\(pod.attachment.container) is gone, and \(pod.attachment.interface) is remembered",
          place: inventory.path(of: pod), remedy: remedy, mend: mend))
      if isAlive { return findings }
    }
    let kinds: [Finding.Kind] = [
      .leaseWithoutPod, .linkWithoutPod, .rulesWithoutPod, .fileWithoutPod,
    ]
    for kind in kinds {
      let found = holds.filter { $0.kind == kind }
      guard !found.isEmpty else { continue }
      findings.append(
        Finding(
          kind: kind, network: owner.network?.text, attachment: owner.attachment, pod: pod?.name,
          what: what(kind, owner, holds), place: found.places,
          remedy: remedy, mend: mend))
    }
    return findings
  }

  private func what(
    _ kind: Finding.Kind, _ owner: Belonging.Owner, _ holds: [Belonging]
  ) -> String {
    let name: String =
      switch owner {
      case .attachment(let attachment):
        "\(attachment.container) (\(attachment.interface)), which is gone"
      case .unnamed(let tag, _): "somebody unknown (\(tag.text))"
      }
    switch kind {
    case .leaseWithoutPod:
      let addresses = holds.filter { $0.kind == kind }.compactMap { $0.address?.description }
      return "\(addresses.joined(separator: ", ")) is leased to \(name)"
    case .linkWithoutPod: return "a link is there for \(name)"
    case .rulesWithoutPod: return "the packet filter has elements of \(name)"
    default: return "a file is kept for \(name)"
    }
  }

  private func forgotten(_ owner: Belonging.Owner, _ holds: [Belonging]) -> Finding {
    Finding(
      kind: .forgottenPod, network: owner.network?.text, attachment: owner.attachment,
      what: "an interface is in use, and no result of its ADD is remembered",
      place: holds.places,
      remedy: owner.attachment.map { "once its container has ended: " + $0.deletion }
        ?? "cnictl gc \(owner.network?.text ?? "NETWORK"), once its container has ended")
  }

  /// DEL, if there is a list to do it by, and if all that would be taken away has been looked at.
  private func mend(_ owner: Belonging.Owner, _ pod: RememberedPod?) -> Finding.Mend? {
    guard let attachment = owner.attachment else { return nil }
    if pod != nil { return .remove(attachment) }
    guard let list = inventory.list(of: attachment.network.text) else { return nil }
    // Addresses of other IPAM plugins cannot be looked for.
    let areKnown = list.plugins.allSatisfy { plugin in
      guard let ipam = plugin["ipam"]?.objectValue?["type"]?.textValue else { return true }
      return ["host-local", "static"].contains(ipam)
    }
    return areKnown ? .remove(attachment) : nil
  }

  private func remedy(
    for owner: Belonging.Owner, _ mend: Finding.Mend?, _ pod: RememberedPod?
  ) -> String {
    let network = owner.network?.text ?? "NETWORK"
    if mend != nil { return "cnictl repair --network \(network)" }
    guard let attachment = owner.attachment else {
      return "cnictl gc \(network), while no pod is just being started"
    }
    if pod == nil, inventory.list(of: network) == nil {
      return "put the list of network \(network) back, then: \(attachment.deletion)"
    }
    return "once its container has ended: \(attachment.deletion)"
  }
}

extension [Belonging] {
  /// Where they are: `table inet swift_cni (firewall_v4, masquerade_v4)`.
  var places: String {
    Dictionary(grouping: self, by: \.whole).map { whole, parts in
      let names = Set(parts.map(\.place)).sorted().joined(separator: ", ")
      return whole.map { "\($0) (\(names))" } ?? names
    }.sorted().joined(separator: ", ")
  }
}

extension Attachment {
  /// The command that takes it away.
  var deletion: String {
    "cnictl del \(network) --container \(container)"
      + (interface.text == "eth0" ? "" : " --interface \(interface)")
  }
}
