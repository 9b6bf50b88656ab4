internal import Addressing
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Linux

/// What a GC of a network would free, as far as that can be told without doing it.
///
/// Of remembered attachments it is known: they get a DEL. What plugins find besides is read where they
/// keep it, in files and in the kernel. What cannot be read so is named.
struct GarbagePreview {
  /// A line each.
  let lines: [String]
  /// What could not be read.
  let problems: [String]

  /// Looks at a network in the namespace that the thread stands in, and changes nothing.
  ///
  /// - Parameters:
  ///   - list: the network.
  ///   - valid: the attachments that GC would keep.
  ///   - paths: where everything is.
  init(of list: NetworkList, keeping valid: Set<ValidAttachment>, in paths: DoctorPaths) {
    guard !list.disablesGarbageCollection else {
      lines = ["the list says \"disableGC\": nothing would be done"]
      problems = []
      return
    }
    let inventory = NodeInventory(paths)
    problems = inventory.findings.filter { ($0.network ?? list.name.text) == list.name.text }
      .map { "\($0.what) (\($0.place))" }
    let dying = inventory.pods.map(\.attachment)
      .filter { $0.network == list.name && !valid.contains($0.withoutNetwork) }
    var lines = dying.map { "would remove \($0.interface) of \($0.container) by DEL" }.sorted()
    if list.version >= .v1_1_0 {
      lines += Self.swept(of: list, inventory.belongings, besides: valid, dying)
    }
    if lines.isEmpty { lines = ["nothing would be removed"] }
    self.lines = lines + Self.limits(of: list)
  }

  /// What plugins would free of attachments that nobody remembers, a line for each of these.
  private static func swept(
    of list: NetworkList, _ belongings: [Belonging], besides valid: Set<ValidAttachment>,
    _ dying: [Attachment]
  ) -> [String] {
    let strays = belongings.filter { belonging in
      guard belonging.owner.network == list.name else { return false }
      guard let attachment = belonging.owner.attachment else { return true }
      return !valid.contains(attachment.withoutNetwork) && !dying.contains(attachment)
    }
    return Dictionary(grouping: strays, by: \.owner).map { owner, holds in
      let name =
        owner.attachment.map { "\($0.interface) of \($0.container)" } ?? "somebody unknown"
      var line = "would free what is left of \(name): \(holds.places)"
      if holds.contains(where: \.isProofOfLife) { line += "; but its interface is in use" }
      if holds.contains(where: \.isYoung) { line += "; but its pod may just be starting" }
      return line
    }.sorted()
  }

  /// What has not been looked at.
  private static func limits(of list: NetworkList) -> [String] {
    guard list.version >= .v1_1_0 else {
      return [
        "no plugin would be asked for what nobody remembers: the list is of version "
          + "\(list.version), and GC came with 1.1.0"
      ]
    }
    var silent: [String] = []
    for plugin in list.plugins {
      let type = plugin["type"]?.textValue ?? ""
      let backend = plugin["backend"]?.textValue ?? ""
      if !legible.contains(type) {
        silent.append(type)
      } else if ["iptables", "firewalld"].contains(backend) {
        silent.append("\(type) by \(backend)")
      }
      if let ipam = plugin["ipam"]?.objectValue?["type"]?.textValue, !legible.contains(ipam) {
        silent.append(ipam)
      }
    }
    let keepers = silent.isEmpty ? "" : "what \(silent.joined(separator: ", ")) may keep, "
    return [
      "not looked at: \(keepers)rules that other plugins than swift-cni's have made, and what is kept "
        + "for the network as a whole"
    ]
  }

  /// The plugins of which nothing is kept for an attachment but what can be read.
  private static let legible: Set<String> = [
    "bandwidth", "bridge", "dummy", "firewall", "host-device", "host-local", "ipvlan", "loopback",
    "macvlan", "portmap", "ptp", "sbr", "service", "static", "tap", "tuning", "vlan", "vrf",
  ]
}
