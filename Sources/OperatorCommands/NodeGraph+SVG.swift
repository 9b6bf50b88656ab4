extension NodeGraph {
  /// The graph as a picture of its own, readable on light and dark paper.
  ///
  /// https://www.w3.org/TR/SVG11/
  var svg: String {
    let layout = GraphLayout(of: self)
    var parts = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(layout.width)" height="\(layout.height)" \
      viewBox="0 0 \(layout.width) \(layout.height)" font-family="monospace" font-size="13">
      """,
      NodeGraph.style,
    ]
    for (place, way) in ways.enumerated() {
      // Ways to the same box arrive one below the other.
      let rank = ways[..<place].count { $0.to == way.to } + 1
      let count = ways.count { $0.to == way.to } + 1
      let end = layout.frames[way.to]
      parts.append(
        way.svg(
          from: layout.frames[way.from], to: end, at: end.y + end.height * rank / count,
          colour: way.isAnswer ? colour(of: way.to) : nil))
    }
    for (place, (box, frame)) in zip(boxes, layout.frames).enumerated() {
      parts.append(box.svg(in: frame, colour: colour(of: place)))
    }
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  /// How many colours services have, one after the other, so that their ways can be told apart.
  private static let colours = 6

  /// The class of a service's colour; nil for other boxes.
  private func colour(of place: Int) -> String? {
    guard boxes[place].kind == .service else { return nil }
    return "c\(boxes[..<place].count { $0.kind == .service } % Self.colours)"
  }

  private static let style = """
    <style>
      .box { fill: #fff; stroke: #57606a } .way { fill: none; stroke: #8c959f }
      .world .box { fill: #f6f8fa } .host .box { fill: #fff8c5 }
      .bridge .box { fill: #ddf4ff } .pod .box { fill: #dafbe1 }
      .service .box { fill: #fbefff; stroke-width: 1.5 } .answer { stroke-dasharray: 5 3 }
      .idle .box { fill: #f6f8fa; stroke-dasharray: 5 3 }
      .c0, .c0 .box { stroke: #8250df } .c1, .c1 .box { stroke: #0969da }
      .c2, .c2 .box { stroke: #bc4c00 } .c3, .c3 .box { stroke: #1a7f37 }
      .c4, .c4 .box { stroke: #bf3989 } .c5, .c5 .box { stroke: #9a6700 }
      text { fill: #1f2328; stroke: none } .name { font-weight: bold }
      .label { fill: #57606a; font-size: 11px; paint-order: stroke; stroke: #fff; stroke-width: 3px }
      @media (prefers-color-scheme: dark) {
        .box { fill: #161b22; stroke: #8b949e } .way { stroke: #6e7681 }
        .world .box { fill: #21262d } .host .box { fill: #3b2e00 }
        .bridge .box { fill: #0c2d6b } .pod .box { fill: #033a16 }
        .service .box { fill: #271052 } .idle .box { fill: #21262d }
        .c0, .c0 .box { stroke: #a371f7 } .c1, .c1 .box { stroke: #4493f8 }
        .c2, .c2 .box { stroke: #db6d28 } .c3, .c3 .box { stroke: #3fb950 }
        .c4, .c4 .box { stroke: #db61a2 } .c5, .c5 .box { stroke: #d29922 }
        text { fill: #e6edf3 } .label { fill: #8b949e; stroke: #0d1117 }
      }
    </style>
    """
}

extension NodeGraph.Box {
  fileprivate func svg(in frame: GraphLayout.Frame, colour: String?) -> String {
    let character = GraphLayout.character
    let lines = ([name] + lines).enumerated().map { place, line in
      """
      <text\(place == 0 ? " class=\"name\"" : "") x="\(frame.x + 12)" \
      y="\(frame.y + 12 + character.height * (place + 1) - 5)">\(line.escapedForXML)</text>
      """
    }
    let classes = (["\(kind)"] + [colour, isIdle ? "idle" : nil].compactMap { $0 })
      .joined(separator: " ")
    return """
      <g class="\(classes)"><rect class="box" x="\(frame.x)" y="\(frame.y)" width="\(frame.width)" \
      height="\(frame.height)" rx="6"/>\(lines.joined())</g>
      """
  }
}

extension NodeGraph.Way {
  /// A curve that leaves and arrives level; the label stands over its end, where ways lie apart.
  fileprivate func svg(
    from start: GraphLayout.Frame, to end: GraphLayout.Frame, at height: Int, colour: String?
  ) -> String {
    let middle = (start.right + end.x) / 2
    let curve = """
      <path class="way\(colour.map { " answer \($0)" } ?? "")" d="M\(start.right) \(start.middle) C\(middle) \(start.middle) \
      \(middle) \(height) \(end.x) \(height)"/>
      """
    guard !label.isEmpty else { return curve }
    return curve + """
      <text class="label" text-anchor="end" x="\(end.x - 4)" y="\(height - 4)">\
      \(label.escapedForXML)</text>
      """
  }
}

extension String {
  /// As text of an XML document: what would begin markup is written out, and characters that XML
  /// cannot hold at all are left out.
  fileprivate var escapedForXML: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": text += " "
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
