/// A picture under construction, written as SVG.
///
/// Colours are classes, so that the picture follows the reader's light or dark page.
public struct Drawing {
  /// In pixels, as all lengths here.
  public let width: Double
  /// From top to bottom; points are counted from the top left corner.
  public let height: Double
  private var elements: [String] = []

  /// An empty picture.
  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// Which part of a text stands at its point.
  public enum Anchor: String {
    case start, middle, end
  }

  /// Adds a text, on one line.
  public mutating func text(
    _ words: String, at point: (x: Double, y: Double), anchor: Anchor = .start,
    style: String = "label"
  ) {
    elements.append(
      #"<text x="\#(short(point.x))" y="\#(short(point.y))" text-anchor="\#(anchor.rawValue)""#
        + #" class="\#(style)">\#(escaped(words))</text>"#)
  }

  /// Adds a filled rectangle, its corner top left.
  public mutating func bar(
    at point: (x: Double, y: Double), size: (width: Double, height: Double), style: String
  ) {
    elements.append(
      #"<rect x="\#(short(point.x))" y="\#(short(point.y))" width="\#(short(size.width))""#
        + #" height="\#(short(size.height))" rx="2" class="fill \#(style)"/>"#)
  }

  /// Adds a line through points.
  public mutating func line(_ points: [(x: Double, y: Double)], style: String) {
    let text = points.map { "\(short($0.x)),\(short($0.y))" }.joined(separator: " ")
    elements.append(#"<polyline points="\#(text)" class="stroke \#(style)"/>"#)
  }

  /// Adds a filled circle.
  public mutating func dot(at point: (x: Double, y: Double), style: String) {
    elements.append(
      #"<circle cx="\#(short(point.x))" cy="\#(short(point.y))" r="3.5" class="fill \#(style)"/>"#)
  }

  /// The whole file.
  public var svg: String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(short(width)) \(short(height))" \
    width="\(short(width))" height="\(short(height))" role="img">
    <style>
    svg { background: #ffffff; }
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .title { font-size: 16px; font-weight: 600; }
    .quiet { fill: #59636e; font-size: 12px; }
    .stroke { fill: none; stroke-width: 2; }
    .fill.ours { fill: #f05138; } .stroke.ours { stroke: #f05138; }
    .fill.upstream { fill: #5b8fb9; } .stroke.upstream { stroke: #5b8fb9; }
    .fill.floor { fill: #a5adb6; } .stroke.floor { stroke: #a5adb6; }
    .stroke.dashed { stroke-dasharray: 6 4; }
    .stroke.grid { stroke: #d1d9e0; stroke-width: 1; }
    @media (prefers-color-scheme: dark) {
      svg { background: #0d1117; }
      text { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .stroke.grid { stroke: #3d444d; }
    }
    </style>
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }

  private func short(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(Double(tenths) / 10)"
  }

  private func escaped(_ words: String) -> String {
    var text = ""
    for character in words {
      switch character {
      case "<": text += "&lt;"
      case "&": text += "&amp;"
      default: text.append(character)
      }
    }
    return text
  }
}
