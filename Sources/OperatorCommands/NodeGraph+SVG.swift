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
        way.svg(from: layout.frames[way.from], to: end, at: end.y + end.height * rank / count))
    }
    for (box, frame) in zip(boxes, layout.frames) { parts.append(box.svg(in: frame)) }
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  private static let style = """
    <style>
      .box { fill: #fff; stroke: #57606a } .way { fill: none; stroke: #8c959f }
      .world .box { fill: #f6f8fa } .host .box { fill: #fff8c5 }
      .bridge .box { fill: #ddf4ff } .pod .box { fill: #dafbe1 }
      text { fill: #1f2328 } .name { font-weight: bold }
      .label { fill: #57606a; font-size: 11px; paint-order: stroke; stroke: #fff; stroke-width: 3px }
      @media (prefers-color-scheme: dark) {
        .box { fill: #161b22; stroke: #8b949e } .way { stroke: #6e7681 }
        .world .box { fill: #21262d } .host .box { fill: #3b2e00 }
        .bridge .box { fill: #0c2d6b } .pod .box { fill: #033a16 }
        text { fill: #e6edf3 } .label { fill: #8b949e; stroke: #0d1117 }
      }
    </style>
    """
}

extension NodeGraph.Box {
  fileprivate func svg(in frame: GraphLayout.Frame) -> String {
    let character = GraphLayout.character
    let lines = ([name] + lines).enumerated().map { place, line in
      """
      <text\(place == 0 ? " class=\"name\"" : "") x="\(frame.x + 12)" \
      y="\(frame.y + 12 + character.height * (place + 1) - 5)">\(line.escapedForXML)</text>
      """
    }
    return """
      <g class="\(kind)"><rect class="box" x="\(frame.x)" y="\(frame.y)" width="\(frame.width)" \
      height="\(frame.height)" rx="6"/>\(lines.joined())</g>
      """
  }
}

extension NodeGraph.Way {
  /// A curve that leaves and arrives level; the label stands over its end, where ways lie apart.
  fileprivate func svg(
    from start: GraphLayout.Frame, to end: GraphLayout.Frame, at height: Int
  ) -> String {
    let middle = (start.right + end.x) / 2
    let curve = """
      <path class="way" d="M\(start.right) \(start.middle) C\(middle) \(start.middle) \
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
