internal import CNI
internal import CNIRuntime
internal import JSON
internal import Services

extension AttachmentArguments {
  /// Says a pod's labels as runtimes of Kubernetes say annotations: by a capability.
  ///
  /// - Parameters:
  ///   - labels: each as in `app=web`.
  ///   - list: the network, of which a plugin must declare the capability.
  /// - Throws: ``OperatorFailure`` for what is no label, and where no plugin would hear of it.
  mutating func add(labels: [String], on list: NetworkList) throws {
    var pod = PodIdentity()
    for label in labels {
      guard let sign = label.firstIndex(of: "=") else {
        throw OperatorFailure("\(label.inQuotes) is no label", advice: "as in app=web")
      }
      let value = String(label[label.index(after: sign)...])
      do throws(IdentityFault) {
        try pod.add(labels: [String(label[..<sign]): value], from: "--label")
      } catch {
        throw OperatorFailure("\(error)")
      }
    }
    let capability = PodIdentity.annotationCapability
    guard
      list.plugins.contains(where: { $0["capabilities"]?.objectValue?[capability] == .bool(true) })
    else {
      throw OperatorFailure(
        "no plugin of network \(list.name) is told labels",
        advice: "give its plugin \"service\" the member "
          + "\"capabilities\": {\"\(capability)\": true}")
    }
    var annotations = capabilities[capability]?.objectValue ?? [:]
    let text = pod.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let before = annotations[PodIdentity.labelAnnotation]?.textValue.map { [$0] } ?? []
    annotations[PodIdentity.labelAnnotation] = .string((before + text).joined(separator: ","))
    capabilities[capability] = .object(annotations)
  }
}
