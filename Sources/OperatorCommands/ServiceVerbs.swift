internal import ArgumentParser

/// The verbs about services.
struct ServiceVerbs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "service",
    abstract: "Apply definitions of services, and show them.",
    discussion: """
      A service is one stable address before pods that come and go. Definitions lie in \
      /etc/swift-cni/services.d, as Kubernetes writes them (kubectl get services -o yaml), in JSON \
      or YAML; settings of the node in /etc/swift-cni/services.json. The plugin "service" adds pods.
      """,
    subcommands: [ServiceApply.self, ServiceList.self, ServiceShow.self])
}
