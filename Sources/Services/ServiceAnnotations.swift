internal import JSON

/// Our own keys.
///
/// They stand among the annotations, so that a document with them stays one that Kubernetes takes.
enum ServiceAnnotation {
  /// What all of ours begin with.
  static let prefix = "swift-cni.dev/"
  /// Of a service: `hash` chooses the pod by the client's address, without memory.
  static let affinity = prefix + "affinity"
  /// Of a service: shares by label, such as `track=canary:1,track=stable:9`.
  static let weights = prefix + "weights"
  /// Of a pod or a slice: its share.
  static let weight = prefix + "weight"
  /// Of a pod: further labels, such as `app=web,tier=front`.
  static let labels = prefix + "labels"
  /// Of a pod: what its ports are called, such as `http=8080`.
  static let ports = prefix + "ports"

  /// Reads a share.
  static func share(_ text: some StringProtocol) -> UInt16? {
    guard let share = UInt16(String(text)), share <= LabelWeight.limit else { return nil }
    return share
  }

  /// Reads `label=value:share,…`; nil if it is none.
  static func weights(_ text: String) -> [LabelWeight]? {
    var weights: [LabelWeight] = []
    for entry in text.split(separator: ",") {
      let parts = entry.split(separator: ":")
      guard parts.count == 2, let weight = share(parts[1].trimmed),
        let labels = pairs(String(parts[0])), let label = labels.first, labels.count == 1
      else { return nil }
      weights.append(
        LabelWeight(pair: Selector.Pair(key: label.key, value: label.value), weight: weight))
    }
    return weights
  }

  /// Reads `name=value,…`; nil if it is none.
  static func pairs(_ text: String) -> [String: String]? {
    var pairs: [String: String] = [:]
    for entry in text.split(separator: ",") {
      let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].trimmed.isEmpty,
        pairs.updateValue(String(parts[1].trimmed), forKey: String(parts[0].trimmed)) == nil
      else { return nil }
    }
    return pairs
  }

  /// Ours among the annotations of an object.
  ///
  /// - Throws: `ServiceRefusal` for one that begins as ours do and is none of them.
  static func ours(
    _ metadata: DefinitionFields, known: [String]
  ) throws(ServiceRefusal) -> [String: String] {
    var ours: [String: String] = [:]
    for (key, value) in try metadata.pairs("annotations") where key.hasPrefix(prefix) {
      guard known.contains(key) else {
        throw metadata.refusal(
          "annotations", "there is no annotation \"\(key)\" here",
          "those are \(known.joined(separator: ", "))")
      }
      ours[key] = value
    }
    return ours
  }
}

extension Substring {
  /// Without blanks at its ends.
  var trimmed: Substring {
    var rest = drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
