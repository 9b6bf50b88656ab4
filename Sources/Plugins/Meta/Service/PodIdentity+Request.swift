import CNI
import JSON
import Services

extension PodIdentity {
  /// Who the pod of a request is, by all who may say it.
  ///
  /// The namespace is Kubernetes' or Nomad's, else that of key `namespace`, else `default`. Labels
  /// are those of key `labels` for all pods of the network, then `args.cni.labels`, then the pod's
  /// annotation `swift-cni.dev/labels`; and under `swift-cni.dev/` what the runtime itself says:
  /// network, container, pod, and Nomad's job and group.
  ///
  /// - Throws: `ProtocolError` that names what cannot be read.
  init(_ request: Request) throws(ProtocolError) {
    let configuration = request.configuration
    let said = try CommandArguments(
      request.invocation.arguments.isEmpty
        ? "" : "\(request.invocation.arguments);IgnoreUnknown=1",
      known: Self.known)
    let (namespace, labels) = try configuration.fields.read { fields throws(JSONFieldError) in
      (try fields.text("namespace"), try fields.nested("labels"))
    }
    let named = [said["K8S_POD_NAMESPACE"], said["NOMAD_NAMESPACE"], namespace]
      .compactMap { $0 }.first { !$0.isEmpty }
    self.init(
      namespace: named ?? ServiceName.defaultNamespace,
      name: [said["K8S_POD_NAME"], said["NOMAD_ALLOC_ID"]].compactMap { $0 }.first { !$0.isEmpty })
    do throws(IdentityFault) {
      if let labels { try add(labels: labels.pairs, from: "key \"labels\"") }
      if let arguments = try Self.arguments(configuration) {
        try add(labels: try Self.labels(arguments), from: "args.cni.labels")
        try add(annotations: arguments.pairs)
      }
      try add(annotations: try Self.annotations(configuration))
    } catch {
      throw ProtocolError(
        .invalidConfiguration, "\(error)",
        details: "services find their pods by labels, so they must be ones")
    }
    let attachment = try request.attachment
    add(own: "network", attachment.network.text)
    add(own: "container", attachment.container.text)
    add(own: "pod", name)
    add(own: "nomad-job", said["NOMAD_JOB_ID"])
    add(own: "nomad-group", said["NOMAD_GROUP_NAME"])
  }

  private static let known = [
    "K8S_POD_NAMESPACE", "K8S_POD_NAME", "NOMAD_NAMESPACE", "NOMAD_ALLOC_ID", "NOMAD_JOB_ID",
    "NOMAD_GROUP_NAME",
  ]

  /// What the caller gives under `args.cni`; nil for nothing.
  private static func arguments(
    _ configuration: NetworkConfiguration
  ) throws(IdentityFault) -> JSONFields? {
    do throws(ProtocolError) {
      return try configuration.arguments
    } catch {
      throw IdentityFault(place: "args.cni", reason: error.message)
    }
  }

  /// Labels as CNI's conventions have them, `[{"key": "app", "value": "web"}]`, or as an object.
  private static func labels(_ arguments: JSONFields) throws(IdentityFault) -> [String: String] {
    guard let field = arguments.field("labels") else { return [:] }
    do throws(JSONFieldError) {
      if field.value.objectValue != nil { return try field.fields().pairs }
      var labels: [String: String] = [:]
      for element in try field.list() {
        let fields = try element.fields()
        let key = try fields.required("key", "text", try fields.text("key"))
        labels[key] = try fields.text("value") ?? ""
      }
      return labels
    } catch {
      throw IdentityFault(place: "args.cni.labels", reason: "\(error)")
    }
  }

  /// The pod's annotations, from runtimes of Kubernetes that are asked for them by capability.
  private static func annotations(
    _ configuration: NetworkConfiguration
  ) throws(IdentityFault) -> [String: String] {
    let key = annotationCapability
    do throws(ProtocolError) {
      let fields = try configuration.runtimeConfig.fields
      return try fields.read { fields throws(JSONFieldError) in try fields.nested(key) }?.pairs
        ?? [:]
    } catch {
      throw IdentityFault(place: "runtimeConfig", reason: error.message)
    }
  }
}

extension JSONFields {
  /// The members that are texts.
  fileprivate var pairs: [String: String] {
    var pairs: [String: String] = [:]
    for member in object.members { pairs[member.key] = member.value.textValue }
    return pairs
  }
}
