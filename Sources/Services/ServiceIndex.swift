internal import JSON

/// Which services select pods of a label, so that an ADD reads no others.
///
/// Each service stands under one of its labels alone: the one that the fewest services ask for. Who
/// has a pod's labels then finds all services that can select it by one look for each label.
struct ServiceIndex: Hashable, Sendable {
  /// The services under one label, by the name of its file.
  private(set) var files: [String: [Entry]] = [:]

  /// A service, and what it asks for.
  struct Entry: Hashable, Sendable {
    let name: ServiceName
    let selector: Selector

    /// Whether it takes this pod.
    func selects(_ pod: PodIdentity) -> Bool {
      name.namespace == pod.namespace && selector.matches(pod.labels)
    }
  }

  /// Sorts services under labels.
  init(_ services: some Sequence<Service>) {
    let entries = services.compactMap { service in
      service.selector.map { Entry(name: service.name, selector: $0) }
    }
    var counts: [String: Int] = [:]
    var keys: [[String]] = []
    for entry in entries {
      let names = entry.selector.pairs.map { Self.fileName(entry.name.namespace, $0) }
      keys.append(names)
      for name in names { counts[name, default: 0] += 1 }
    }
    for (entry, names) in zip(entries, keys) {
      let rarest = names.min { (counts[$0] ?? 0, $0) < (counts[$1] ?? 0, $1) }
      if let rarest { files[rarest, default: []].append(entry) }
    }
    for name in files.keys { files[name]?.sort { $0.name < $1.name } }
  }

  /// The services that select a pod.
  func names(selecting pod: PodIdentity) -> [ServiceName] {
    Self.fileNames(for: pod).flatMap { files[$0] ?? [] }.filter { $0.selects(pod) }.map(\.name)
  }

  /// The files in which services that select a pod can stand.
  static func fileNames(for pod: PodIdentity) -> [String] {
    pod.labels.map { fileName(pod.namespace, Selector.Pair(key: $0.key, value: $0.value)) }
  }

  /// A short name for a label; two labels of one name do no harm, since entries tell all of theirs.
  ///
  /// FNV-1a, 64 bits
  private static func fileName(_ namespace: String, _ pair: Selector.Pair) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(namespace)\n\(pair.key)=\(pair.value)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits + ".json"
  }
}

extension [ServiceIndex.Entry] {
  init(parsing bytes: [UInt8]) throws(DamagedFile) {
    let limits = JSONLimits(bytes: ServiceDocument.sizeLimit, depth: 8)
    self = []
    for member in try JSONFields(storedIn: bytes, limits: limits).object.members {
      guard let name = ServiceName(member.key), let object = member.value.objectValue else {
        throw DamagedFile()
      }
      var labels: [String: String] = [:]
      for pair in object.members { labels[pair.key] = pair.value.textValue }
      guard let selector = Selector(labels) else { throw DamagedFile() }
      append(ServiceIndex.Entry(name: name, selector: selector))
    }
  }

  var bytes: [UInt8] {
    JSONWriter.write(
      .object(
        JSONObject(
          members: map { JSONMember($0.name.description, .pairs($0.selector.labels)) })))
  }
}
