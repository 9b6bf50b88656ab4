internal import JSON
internal import RulesetWalk
internal import Services

/// What a trace has found: steps, then an end, or several ways with their shares.
struct TraceStory {
  /// One thing that happens to the packet.
  struct Step: Equatable {
    /// In whose namespace.
    var place: String
    /// At which station: "route", "prerouting", "bridge".
    var station: String
    /// What happens.
    var what: String
    /// Because of what.
    var why: String?
    /// The service that it happens for.
    var service: ServiceName?
  }

  /// How it ends.
  struct Ending: Equatable {
    /// The end in one word.
    enum Kind: String {
      /// It arrives at a namespace of this node.
      case reaches
      /// It leaves the node, or goes to where nothing can be read.
      case leaves
      /// It is gone, and its sender is not told.
      case dropped
      /// It is gone, and its sender is told.
      case refused
      /// It has nowhere to go.
      case unreachable
      /// It cannot be told.
      case unknown
    }

    var kind: Kind
    /// Where: "host", or the name of a pod.
    var place: String
    var sentence: String
    /// What a person can do about it.
    var remedy: String?
    /// The packet at the end.
    var packet: Packet?
    /// Whether somebody listens there, where that could be seen.
    var isHeard: Bool?
    /// The service that ends it.
    var service: ServiceName?
  }

  /// One of several ways.
  struct Way {
    /// In how many of all cases.
    var share: Share
    var story: TraceStory
  }

  var steps: [Step] = []
  var ending: Ending?
  var ways: [Way] = []
  /// Rules that might change all this, but cannot be evaluated.
  var doubts: [Doubt] = []

  /// An end without steps.
  init(
    _ kind: Ending.Kind, at place: String, _ sentence: String, remedy: String? = nil,
    _ packet: Packet? = nil
  ) {
    ending = Ending(
      kind: kind, place: place, sentence: sentence, remedy: remedy, packet: packet)
  }

  /// Several ways.
  init(ways: [Way]) { self.ways = ways }

  /// The same after a step.
  func after(_ step: Step) -> TraceStory {
    var story = self
    story.steps.insert(step, at: 0)
    return story
  }

  /// The same after several steps.
  func after(_ steps: [Step]) -> TraceStory {
    var story = self
    story.steps.insert(contentsOf: steps, at: 0)
    return story
  }

  /// Whether a service has had a part in it.
  func isServed(by name: ServiceName) -> Bool {
    ending?.service == name || steps.contains { $0.service == name }
      || ways.contains { $0.story.isServed(by: name) }
  }

  /// All ends, each with its share.
  var endings: [(share: Share, ending: Ending, isSure: Bool)] {
    let own = ending.map { [(Share.all, $0, doubts.isEmpty)] } ?? []
    return own
      + ways.flatMap { way in
        way.story.endings.map { ($0.share * way.share, $0.ending, $0.isSure && doubts.isEmpty) }
      }
  }
}

// MARK: - As text

extension TraceStory {
  /// A line for each step, then the end; ways one behind the other, further to the right.
  func text(indent: String = "", isSure: Bool = true) -> String {
    var lines = steps.map { step in
      "\(indent)\(step.place)  \(step.station): \(step.what)"
        + (step.why.map { "\n\(indent)    because of \($0)" } ?? "")
    }
    for doubt in doubts { lines.append("\(indent)  ? \(doubt.sentence)") }
    let isSure = isSure && doubts.isEmpty
    if let ending {
      lines.append("\(indent)→ \(isSure ? "" : "probably ")\(ending.sentence)")
      if ending.isHeard == false { lines.append("\(indent)  but nobody listens there") }
      if let remedy = ending.remedy { lines.append("\(indent)  \(remedy)") }
    }
    for way in ways {
      lines.append("\(indent)in \(way.share) of all cases:")
      lines.append(way.story.text(indent: indent + "  ", isSure: isSure))
    }
    return lines.joined(separator: "\n")
  }
}

// MARK: - As JSON

extension TraceStory {
  /// The same as data.
  var json: JSONValue {
    var object: JSONObject = [
      "steps": .array(
        steps.map { step in
          [
            "place": .string(step.place), "station": .string(step.station),
            "what": .string(step.what), "why": step.why.map(JSONValue.string) ?? .null,
            "service": step.service.map { .string("\($0)") } ?? .null,
          ]
        }),
      "doubts": .array(doubts.map { .string($0.sentence) }),
    ]
    if let ending { object["ending"] = ending.json }
    if !ways.isEmpty {
      object["ways"] = .array(
        ways.map { ["share": .string("\($0.share)"), "story": $0.story.json] })
    }
    return .object(object)
  }
}

extension TraceStory.Ending {
  fileprivate var json: JSONValue {
    [
      "kind": .string(kind.rawValue), "place": .string(place), "sentence": .string(sentence),
      "remedy": remedy.map(JSONValue.string) ?? .null,
      "source": packet.map { .string("\($0.source)") } ?? .null,
      "destination": packet.map { .string("\($0.destination)") } ?? .null,
      "port": packet.map { .integer($0.destinationPort) } ?? .null,
      "isHeard": isHeard.map(JSONValue.bool) ?? .null,
      "service": service.map { .string("\($0)") } ?? .null,
    ]
  }
}
