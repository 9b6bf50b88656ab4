extension NodeGraph {
  /// The graph as a Mermaid flow chart, which code hosts and notebooks draw.
  ///
  /// https://mermaid.js.org/syntax/flowchart.html
  var mermaid: String {
    var lines = ["flowchart LR"]
    for (place, box) in boxes.enumerated() {
      let text = ([box.name] + box.lines).map(\.escapedForMermaid).joined(separator: "<br/>")
      let (open, close) = box.kind.shape
      lines.append("  n\(place)\(open)\"\(text)\"\(close)")
    }
    for way in ways {
      let label = way.label.isEmpty ? "" : "|\"\(way.label.escapedForMermaid)\"|"
      lines.append("  n\(way.from) \(way.isAnswer ? "-.-" : "---")\(label) n\(way.to)")
    }
    return lines.joined(separator: "\n")
  }
}

extension NodeGraph.Kind {
  fileprivate var shape: (open: String, close: String) {
    switch self {
    case .world: ("((", "))")
    case .host: ("[", "]")
    case .bridge: ("{{", "}}")
    case .pod: ("(", ")")
    case .service: ("([", "])")
    }
  }
}

extension String {
  /// With the characters that end a quoted text or begin a tag written as Mermaid's entities.
  fileprivate var escapedForMermaid: String {
    var text = ""
    for character in self {
      switch character {
      case "\"": text += "#quot;"
      case "#": text += "#35;"
      case "&": text += "#amp;"
      case "<": text += "#lt;"
      case ">": text += "#gt;"
      case "\n", "\r", "\r\n": text += " "
      default: text.append(character)
      }
    }
    return text
  }
}
