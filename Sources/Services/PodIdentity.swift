/// Who a pod is, as far as services ask: its namespace, its labels, and what its ports are called.
public struct PodIdentity: Hashable, Sendable {
  /// The namespace.
  public var namespace: String
  /// Its name, if it has one.
  public var name: String?
  /// Its labels.
  public var labels: [String: String] = [:]
  /// Its ports by name.
  public var ports: [String: UInt16] = [:]
  /// Its share; nil for what the service says.
  public var weight: UInt16?

  /// A pod without labels.
  public init(namespace: String = ServiceName.defaultNamespace, name: String? = nil) {
    self.namespace = namespace
    self.name = name
  }

  /// The annotation of a pod that holds labels, such as `app=web,tier=front`.
  public static let labelAnnotation = ServiceAnnotation.labels
  /// The capability by which runtimes of Kubernetes tell a pod's annotations.
  public static let annotationCapability = "io.kubernetes.cri.pod-annotations"

  /// Whether a service takes this pod for one of its own.
  public func isSelected(by service: Service) -> Bool {
    service.name.namespace == namespace && service.selector?.matches(labels) == true
  }
}

/// What cannot be read of who a pod is.
public struct IdentityFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where it was said, such as `annotation swift-cni.dev/ports`.
  public let place: String
  /// What is wrong.
  public let reason: String

  /// Something that cannot be read.
  public init(place: String, reason: String) {
    self.place = place
    self.reason = reason
  }

  /// Where, and what.
  public var description: String { "\(place): \(reason)" }
}

extension PodIdentity {
  /// Adds labels; later ones replace earlier ones.
  ///
  /// - Throws: ``IdentityFault`` for one that cannot be a label, and for one that begins with
  ///   `swift-cni.dev/`: those are ours to give.
  public mutating func add(labels: [String: String], from place: String) throws(IdentityFault) {
    for (key, value) in labels {
      if key.hasPrefix(ServiceAnnotation.prefix) {
        throw IdentityFault(place: place, reason: "\"\(key)\" is not for others to give")
      }
      if let fault = Labels.fault(key: key, value: value) {
        throw IdentityFault(place: place, reason: fault)
      }
    }
    self.labels.merge(labels) { $1 }
  }

  /// Takes what the pod's annotations say about services; others are not looked at.
  ///
  /// - Throws: ``IdentityFault`` that names the annotation.
  public mutating func add(annotations: [String: String]) throws(IdentityFault) {
    for (key, text) in annotations {
      let place = "annotation \(key)"
      switch key {
      case ServiceAnnotation.labels:
        guard let labels = ServiceAnnotation.pairs(text) else {
          throw IdentityFault(place: place, reason: "write it as in app=web,tier=front")
        }
        try add(labels: labels, from: place)
      case ServiceAnnotation.ports:
        guard let pairs = ServiceAnnotation.pairs(text) else {
          throw IdentityFault(place: place, reason: "write it as in http=8080,metrics=9090")
        }
        try add(ports: pairs, from: place)
      case ServiceAnnotation.weight:
        try add(weight: text, from: place)
      default: continue
      }
    }
  }

  /// Names ports.
  ///
  /// - Throws: ``IdentityFault`` for what is no port.
  public mutating func add(
    ports: [String: String], from place: String
  ) throws(IdentityFault) {
    for (name, text) in ports {
      guard let number = UInt16(text), number > 0, ServiceName.isLabel(name) else {
        throw IdentityFault(place: place, reason: "\"\(name)=\(text)\" is no port with a name")
      }
      self.ports[name] = number
    }
  }

  /// Sets the pod's share.
  ///
  /// - Throws: ``IdentityFault`` for what is none.
  public mutating func add(weight text: String, from place: String) throws(IdentityFault) {
    guard let weight = ServiceAnnotation.share(text) else {
      throw IdentityFault(
        place: place, reason: "\"\(text)\" is no share from 0 to \(LabelWeight.limit)")
    }
    self.weight = weight
  }

  /// Adds what only we may say, such as the network's name, under `swift-cni.dev/…`; what cannot be
  /// the value of a label is left out.
  public mutating func add(own key: String, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    let label = ServiceAnnotation.prefix + key
    if Labels.fault(key: label, value: value) == nil { labels[label] = value }
  }
}
