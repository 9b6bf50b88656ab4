internal import Addressing
internal import JSON

extension Service {
  /// Reads a Service of version `v1`, strictly.
  ///
  /// What Kubernetes itself adds (metadata of the object, `status`) is ignored by name; any other
  /// key that has no meaning here is refused.
  ///
  /// - Parameters:
  ///   - object: the document's members.
  ///   - name: its name, read before.
  /// - Throws: `ServiceRefusal` that names the key.
  init(_ object: DefinitionObject, _ name: ServiceName) throws(ServiceRefusal) {
    guard let nested = try object.fields.nested("spec") else {
      throw ServiceRefusal(at: "spec", "is missing", remedy: "say what the service is to be")
    }
    let spec = try DefinitionFields(nested, known: Self.known, ignored: Self.ignored)
    self.init(name, try Self.kind(spec))
    if let text = try spec.text("loadBalancerClass") {
      throw spec.refusal(
        "loadBalancerClass", "\"\(text)\" means that another program balances this service",
        "take the key out to have it done here")
    }
    try readAddresses(spec)
    ports = try Self.ports(spec, of: kind, isHeadless: isHeadless)
    selector = try Self.selector(spec)
    internalIsLocal = try spec.choice("internalTrafficPolicy", TrafficPolicy.self) == .local
    externalIsLocal = try spec.choice("externalTrafficPolicy", TrafficPolicy.self) == .local
    sources = try spec.subnets("loadBalancerSourceRanges")
    includesNotReady = try spec.boolean("publishNotReadyAddresses") ?? false
    hasNodePorts = try spec.boolean("allocateLoadBalancerNodePorts") ?? true
    let labels = try object.metadata.pairs("labels")
    servedElsewhere =
      Self.servedElsewhere.lazy.compactMap { key in
        labels[key].map { Selector.Pair(key: key, value: $0) }
      }.first
    let ours = try ServiceAnnotation.ours(
      object.metadata, known: [ServiceAnnotation.affinity, ServiceAnnotation.weights])
    balancing = try Self.balancing(spec, ours[ServiceAnnotation.affinity], object)
    if let text = ours[ServiceAnnotation.weights] {
      guard let weights = ServiceAnnotation.weights(text) else {
        throw object.metadata.refusal(
          "annotations", "\"\(ServiceAnnotation.weights)\": \"\(text)\" cannot be read",
          "write label=value:share,… with shares from 0 to \(LabelWeight.limit)")
      }
      self.weights = weights
    }
  }

  private static var known: [String] {
    [
      "type", "clusterIP", "clusterIPs", "ports", "selector", "sessionAffinity",
      "sessionAffinityConfig", "internalTrafficPolicy", "externalTrafficPolicy", "externalIPs",
      "loadBalancerIP", "loadBalancerSourceRanges", "publishNotReadyAddresses", "ipFamilies",
      "ipFamilyPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass", "externalName",
    ]
  }

  /// The labels, whatever their value, by which Kubernetes' own proxy lets a service alone.
  private static var servedElsewhere: [String] {
    ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"]
  }

  /// A port for the checks of a balancer elsewhere, at which nobody answers here, and a wish that every
  /// choice fulfils.
  private static var ignored: [String] { ["healthCheckNodePort", "trafficDistribution"] }

  private enum TrafficPolicy: String, CaseIterable {
    case cluster = "Cluster"
    case local = "Local"
  }

  private static func kind(_ spec: DefinitionFields) throws(ServiceRefusal) -> Kind {
    if try spec.text("type") == "ExternalName" {
      throw spec.refusal(
        "type", "ExternalName is an entry of DNS, and there is no DNS server here",
        "give clients the name itself, or make a ClusterIP with an EndpointSlice")
    }
    if try spec.text("externalName") != nil {
      throw spec.refusal("externalName", "only goes with type ExternalName", "take it out")
    }
    return try spec.choice("type", Kind.self) ?? .cluster
  }

  private mutating func readAddresses(_ spec: DefinitionFields) throws(ServiceRefusal) {
    var texts = try spec.texts("clusterIPs")
    if let first = try spec.text("clusterIP") {
      if texts.isEmpty { texts = [first] }
      guard texts[0] == first else {
        throw spec.refusal(
          "clusterIP", "\"\(first)\" is not the first of clusterIPs", "leave one of the two out")
      }
    }
    if texts == ["None"] {
      guard kind == .cluster else {
        throw spec.refusal(
          "clusterIP", "None does not go with type \(kind.rawValue)", "use type ClusterIP")
      }
      isHeadless = true
    } else {
      for text in texts { clusterAddresses.append(try spec.address(text, "clusterIPs")) }
    }
    for text in try spec.texts("ipFamilies") {
      switch text {
      case "IPv4": families.append(.v4)
      case "IPv6": families.append(.v6)
      default:
        throw spec.refusal("ipFamilies", "\"\(text)\" is no family", "write IPv4 or IPv6")
      }
    }
    familyPolicy = try spec.choice("ipFamilyPolicy", FamilyPolicy.self)
    for (key, list) in [("clusterIPs", clusterAddresses.map(\.family)), ("ipFamilies", families)] {
      guard list.count <= 2, Set(list).count == list.count else {
        throw spec.refusal(key, "a family is there twice", "name each family once at most")
      }
    }
    if !isHeadless, !families.isEmpty, !clusterAddresses.isEmpty {
      guard Array(families.prefix(clusterAddresses.count)) == clusterAddresses.map(\.family) else {
        throw spec.refusal("clusterIPs", "are not of the families in ipFamilies", "make them agree")
      }
    }
    externalAddresses = try spec.addresses("externalIPs")
    if let text = try spec.text("loadBalancerIP") {
      balancerAddresses = [try spec.address(text, "loadBalancerIP")]
    }
  }

  private static func selector(_ spec: DefinitionFields) throws(ServiceRefusal) -> Selector? {
    let labels = try spec.pairs("selector")
    for (key, value) in labels {
      if let fault = Labels.fault(key: key, value: value) {
        throw spec.refusal("selector", fault, "write labels as Kubernetes does")
      }
    }
    return Selector(labels)
  }

  private static func balancing(
    _ spec: DefinitionFields, _ affinity: String?, _ object: DefinitionObject
  ) throws(ServiceRefusal) -> Frontend.Balancing {
    let config = try spec.nested("sessionAffinityConfig")
    var seconds = 10_800
    if let config {
      let keys = try DefinitionFields(config, known: ["clientIP"])
      if let client = try keys.nested("clientIP") {
        let limit = try DefinitionFields(client, known: ["timeoutSeconds"])
        seconds = try limit.integer("timeoutSeconds") ?? seconds
        guard 1...86_400 ~= seconds else {
          throw limit.refusal(
            "timeoutSeconds", "\(seconds) is out of range", "choose 1 to 86400 seconds")
        }
      }
    }
    let isByClient: Bool
    switch try spec.text("sessionAffinity") {
    case nil, "None": isByClient = false
    case "ClientIP": isByClient = true
    case let other?:
      throw spec.refusal("sessionAffinity", "\"\(other)\" is unknown", "use None or ClientIP")
    }
    switch affinity {
    case nil: return isByClient ? .clientAffinity(seconds: UInt32(seconds)) : .random
    case "hash" where !isByClient: return .sourceHash
    case "hash":
      throw object.metadata.refusal(
        "annotations", "affinity \"hash\" and sessionAffinity ClientIP exclude each other",
        "take one of them out")
    case let other?:
      throw object.metadata.refusal(
        "annotations", "\"\(ServiceAnnotation.affinity)\": \"\(other)\" is unknown",
        "the only one is \"hash\"")
    }
  }
}
