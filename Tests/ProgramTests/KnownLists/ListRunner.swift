import CNI
import CNIRuntime
import Linux
import TestSupport

/// Runs the networks of a list's pods on a node as a runtime does, with one maker's plugins.
struct ListRunner {
  let node: RuntimeNode
  let networks: [(KnownList.Network, NetworkList)]
  let runner: NetworkRunner

  /// A runner that looks for plugins in `pluginPath`, as `CNI_PATH` has it.
  init(
    _ list: KnownList, _ version: KnownList.Version, on node: RuntimeNode, _ pluginPath: String,
    program: PluginProgram = .executed
  ) throws {
    self.node = node
    runner = NetworkRunner(
      pluginPath: PluginPath(pluginPath), environment: Environment(["PATH": Shell.path]),
      program: program)
    networks = try list.networks.map {
      ($0, try NetworkList(parsing: list.text(of: $0, version)))
    }
  }

  func add(_ pod: ListedPod) throws {
    try node.host.run {
      for (network, list) in networks {
        pod.note(try runner.add(pod.arguments(network), to: list), of: network)
      }
    }
  }

  /// Takes a pod down; a runtime comes again when a plugin has failed.
  func delete(_ pod: ListedPod, attempts: Int = 1) throws {
    try delete(networks.map { ($1, try pod.arguments($0)) }, attempts: attempts)
  }

  /// Runtimes take networks down in the order opposite to theirs.
  private func delete(
    _ attachments: [(NetworkList, AttachmentArguments)], attempts: Int = 1
  ) throws {
    try node.host.run {
      for (list, arguments) in attachments.reversed() {
        var failures = 0
        while try !delete(arguments, from: list, mustSucceed: failures + 1 == attempts) {
          failures += 1
        }
      }
    }
  }

  private func delete(
    _ arguments: AttachmentArguments, from list: NetworkList, mustSucceed: Bool
  ) throws -> Bool {
    do {
      try runner.delete(arguments, from: list)
      return true
    } catch {
      if mustSucceed { throw error }
      return false
    }
  }

  /// Deletes, twice, a pod whose namespace is gone; the second time nothing is remembered of it.
  func deleteWithoutNamespace(_ pod: consuming ListedPod) throws {
    let attachments = try networks.map { ($1, try pod.arguments($0, hasNamespace: false)) }
    _ = consume pod
    try delete(attachments)
    try delete(attachments)
  }

  /// Loses what is remembered of a pod.
  func forget(_ pod: ListedPod) throws {
    for (network, list) in networks {
      try runner.cache.remove(pod.arguments(network).attachment(to: list.name))
    }
  }

  func check(_ pod: ListedPod) throws {
    try node.host.run {
      for (network, list) in networks where list.version >= .v0_4_0 {
        try runner.check(pod.arguments(network), on: list)
      }
    }
  }

  func status() throws {
    try node.host.run { for (_, list) in networks { try runner.status(of: list) } }
  }

  func collectGarbage(keeping valid: [ListedPod]) throws {
    try node.host.run {
      for (network, list) in networks {
        let attachments = try valid.map {
          try $0.arguments(network).attachment(to: list.name).withoutNetwork
        }
        try runner.collectGarbage(of: list, keeping: Set(attachments))
      }
    }
  }
}
