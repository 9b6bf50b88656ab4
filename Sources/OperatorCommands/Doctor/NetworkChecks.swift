internal import CNI
internal import CNIRuntime
internal import JSON

/// Whether a network could take a further pod, as its plugins tell it by STATUS, and what is
/// particular about its list.
struct NetworkChecks {
  let runner: NetworkRunner
  let inventory: NodeInventory

  func findings(on list: NetworkList) -> [Finding] {
    let missing = missingPlugins(of: list)
    return missing + (missing.isEmpty ? obstacles(on: list) : []) + changes(of: list)
      + filteredBridge(on: list)
      + Pool.all(of: list, inventory.leases[list.name.text] ?? []).compactMap {
        $0.finding(on: list.name.text, file: list.path)
      }
  }

  private func missingPlugins(of list: NetworkList) -> [Finding] {
    var types: [String] = []
    for plugin in list.plugins {
      for type in [plugin["type"], plugin["ipam"]?.objectValue?["type"]] {
        if let type = type?.textValue, !type.isEmpty, !types.contains(type) { types.append(type) }
      }
    }
    return types.compactMap { type in
      do throws(ProtocolError) {
        _ = try runner.pluginPath.find(type)
        return nil
      } catch {
        return Finding(
          kind: .pluginMissing, network: list.name.text, what: error.message,
          place: runner.pluginPath.directories.joined(separator: ":"),
          remedy: "install \(type) there, or put the right place into CNI_PATH")
      }
    }
  }

  private func obstacles(on list: NetworkList) -> [Finding] {
    var asked = list
    if list.plugins.first.map(PodChecks.makesHostRoute) == true,
      !list.plugins.contains(where: { $0["type"] == "firewall" }),
      runner.isOurs("firewall")
    {
      // Rules of others that drop hurt a network without the plugin as well, and it knows them.
      asked = list.with(["type": "firewall"])
    }
    return runner.obstacles(of: asked).map { complaint in
      let isBlocked = complaint.error.code == .limitedConnectivity
      let details = complaint.error.details
      return Finding(
        kind: isBlocked ? .trafficBlocked : .networkNotReady, network: list.name.text,
        what: complaint.error.message, place: "plugin \(complaint.plugin) of \(list.name)",
        remedy: details.isEmpty ? "see what plugin \(complaint.plugin) needs" : details)
    }
  }

  /// A list that is not as it was when its pods were added.
  private func changes(of list: NetworkList) -> [Finding] {
    let pods = inventory.pods.filter {
      $0.attachment.network == list.name && $0.state == .present
        && $0.list.plugins != list.plugins
    }
    guard !pods.isEmpty else { return [] }
    return [
      Finding(
        kind: .listChanged, network: list.name.text,
        what: "the list has changed since \(pods.count) of its pods were added",
        place: list.path ?? "", remedy: "start again: " + pods.map(\.name).joined(separator: ", "))
    ]
  }

  /// Frames between ports of a bridge that pass the packet filter.
  private func filteredBridge(on list: NetworkList) -> [Finding] {
    guard let first = list.plugins.first, first["type"] == "bridge",
      first["hairpinMode"] != true, list.plugins.contains(where: { $0["type"] == "portmap" }),
      PodChecks.value(["net", "bridge", "bridge-nf-call-iptables"]) == "1"
    else { return [] }
    return [
      Finding(
        kind: .bridgedPacketsFiltered, network: list.name.text,
        what: "net.bridge.bridge-nf-call-iptables is 1, and the list has port mappings",
        place: list.path ?? "", remedy: "set \"hairpinMode\": true of bridge")
    ]
  }
}
