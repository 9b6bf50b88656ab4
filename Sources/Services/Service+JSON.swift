internal import Addressing
public import JSON

extension Service {
  /// The service as a document of Kubernetes, with the addresses and ports that it has.
  ///
  /// Reading it gives the same service again.
  public var document: JSONObject {
    var metadata: JSONObject = [
      "name": .string(name.name), "namespace": .string(name.namespace),
    ]
    if let label = servedElsewhere { metadata["labels"] = [label.key: .string(label.value)] }
    var annotations: JSONObject = [:]
    if balancing == .sourceHash { annotations[ServiceAnnotation.affinity] = "hash" }
    if !weights.isEmpty {
      let shares = weights.map { "\($0.pair.key)=\($0.pair.value):\($0.weight)" }
      annotations[ServiceAnnotation.weights] = .string(shares.joined(separator: ","))
    }
    if !annotations.isEmpty { metadata["annotations"] = .object(annotations) }
    return [
      "apiVersion": "v1", "kind": "Service", "metadata": .object(metadata), "spec": .object(spec),
    ]
  }

  private var spec: JSONObject {
    var spec: JSONObject = ["type": .string(kind.rawValue)]
    let addresses = isHeadless ? ["None"] : clusterAddresses.map(\.description)
    if let first = addresses.first {
      spec["clusterIP"] = .string(first)
      spec["clusterIPs"] = texts(addresses)
    }
    if !families.isEmpty { spec["ipFamilies"] = texts(families.map(\.description)) }
    if let familyPolicy { spec["ipFamilyPolicy"] = .string(familyPolicy.rawValue) }
    spec["ports"] = .array(ports.map { .object($0.document) })
    if let selector {
      spec["selector"] = .object(
        JSONObject(members: selector.pairs.map { JSONMember($0.key, .string($0.value)) }))
    }
    if case .clientAffinity(let seconds) = balancing {
      spec["sessionAffinity"] = "ClientIP"
      spec["sessionAffinityConfig"] = ["clientIP": ["timeoutSeconds": .integer(seconds)]]
    }
    if internalIsLocal { spec["internalTrafficPolicy"] = "Local" }
    if externalIsLocal { spec["externalTrafficPolicy"] = "Local" }
    if !externalAddresses.isEmpty { spec["externalIPs"] = texts(externalAddresses) }
    if let first = balancerAddresses.first { spec["loadBalancerIP"] = .string("\(first)") }
    if !hasNodePorts { spec["allocateLoadBalancerNodePorts"] = false }
    if !sources.isEmpty { spec["loadBalancerSourceRanges"] = texts(sources) }
    if includesNotReady { spec["publishNotReadyAddresses"] = true }
    return spec
  }

  /// A list of texts.
  private func texts(_ values: [some CustomStringConvertible]) -> JSONValue {
    .array(values.map { .string($0.description) })
  }
}

extension ServicePort {
  fileprivate var document: JSONObject {
    var document: JSONObject = [:]
    if !name.isEmpty { document["name"] = .string(name) }
    document["protocol"] = .string(transport.name.uppercased())
    document["port"] = .integer(number)
    switch target {
    case .number(let number): document["targetPort"] = .integer(number)
    case .name(let name): document["targetPort"] = .string(name)
    }
    if let nodePort { document["nodePort"] = .integer(nodePort) }
    return document
  }
}
