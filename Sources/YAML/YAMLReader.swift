internal import JSON

/// Values out of steps.
struct YAMLReader {
  private var events: ArraySlice<YAMLEvent>
  private let valueLimit: Int
  /// How many values there are by now.
  private var count = 0
  /// What aliases of this document repeat, and how many values that is.
  private var anchors: [String: (value: JSONValue, count: Int)] = [:]

  /// Deeper than any definition; each level takes some of the stack.
  private static let depthLimit = 100

  init(_ events: [YAMLEvent], valueLimit: Int) {
    self.events = events[...]
    self.valueLimit = valueLimit
  }

  mutating func documents() throws(YAMLParseError) -> [JSONValue] {
    var documents: [JSONValue] = []
    while let event = events.popFirst() {
      guard case .documentStart = event.kind else { continue }
      anchors = [:]
      if let first = events.popFirst() { documents.append(try value(first, depth: 0)) }
    }
    return documents
  }

  private mutating func value(
    _ event: YAMLEvent, depth: Int
  ) throws(YAMLParseError) -> JSONValue {
    let before = count
    try take(1, event)
    guard depth < Self.depthLimit else {
      throw refusal(event, "more than \(Self.depthLimit) levels", "write it flatter")
    }
    let value: JSONValue
    switch event.kind {
    case .scalar(let text, let isPlain):
      value = try PlainScalar.value(of: text, isPlain: isPlain, event)
    case .sequenceStart: value = try sequence(event, depth)
    case .mappingStart: value = try mapping(event, depth)
    case .alias(let name):
      guard let repeated = anchors[name] else {
        throw refusal(event, "the alias \(name) leads nowhere", "write it out")
      }
      try take(repeated.count, event)
      return repeated.value
    case .documentStart, .documentEnd, .sequenceEnd, .mappingEnd: return .null
    }
    if let anchor = event.anchor { anchors[anchor] = (value, count - before) }
    return value
  }

  private mutating func sequence(
    _ start: YAMLEvent, _ depth: Int
  ) throws(YAMLParseError) -> JSONValue {
    try expect(start, tag: "seq")
    var elements: [JSONValue] = []
    while let event = events.popFirst() {
      if case .sequenceEnd = event.kind { break }
      elements.append(try value(event, depth: depth + 1))
    }
    return .array(elements)
  }

  private mutating func mapping(
    _ start: YAMLEvent, _ depth: Int
  ) throws(YAMLParseError) -> JSONValue {
    try expect(start, tag: "map")
    var members: [JSONMember] = []
    var keys: Set<[UInt8]> = []
    while let event = events.popFirst() {
      if case .mappingEnd = event.kind { break }
      guard case .scalar(let key, _) = event.kind, key != "<<" else {
        throw refusal(event, "a key is no plain text", "write it out")
      }
      // As bytes: to `String` two spellings of a letter are one.
      guard keys.insert(Array(key.utf8)).inserted else {
        throw refusal(event, "the key \"\(key)\" stands there twice", "remove one")
      }
      guard let next = events.popFirst() else { break }
      members.append(JSONMember(key, try value(next, depth: depth + 1)))
    }
    return .object(JSONObject(members: members))
  }

  private func expect(_ event: YAMLEvent, tag: String) throws(YAMLParseError) {
    guard let found = event.tag, found != "!", found != "tag:yaml.org,2002:\(tag)" else { return }
    throw refusal(event, "the tag \(found) is not known here", "leave it out")
  }

  /// Counts values; what aliases of aliases can blow up to must end somewhere.
  private mutating func take(_ number: Int, _ event: YAMLEvent) throws(YAMLParseError) {
    count += number
    guard count <= valueLimit else {
      let limit = valueLimit == 1_000_000 ? "a million" : "\(valueLimit)"
      throw refusal(event, "it holds more than \(limit) values", "divide it")
    }
  }

  private func refusal(_ event: YAMLEvent, _ problem: String, _ remedy: String) -> YAMLParseError {
    YAMLParseError(problem: problem, line: event.line, remedy: remedy)
  }
}
