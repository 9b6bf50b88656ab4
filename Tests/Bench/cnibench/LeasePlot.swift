import Figures
import Glibc

/// How ADD and DEL of an address grow with the leases that a store holds; both axes logarithmic.
struct LeasePlot {
  struct Line {
    var contender: Contender
    var verb: Verb
    /// Leases and milliseconds.
    var points: [(leases: Int, value: Double)]
  }

  var lines: [Line]

  private let left = 70.0
  private let right = 170.0
  private let top = 66.0
  private let bottom = 330.0

  var svg: String {
    var drawing = Drawing(width: 760, height: 380)
    drawing.text("host-local: time against number of leases", at: (20, 28), style: "title")
    drawing.text(
      "Medians in milliseconds, both axes logarithmic. Lower is better.", at: (20, 48),
      style: "quiet")
    let counts = lines.flatMap { $0.points.map(\.leases) }
    let values = lines.flatMap { $0.points.map(\.value) }
    guard let fewest = counts.min(), let most = counts.max(), fewest < most,
      let least = values.min(), let longest = values.max()
    else { return drawing.svg }

    let end = drawing.width - right
    let decades = (low: Glibc.floor(log10(least)), high: ceil(log10(longest)))
    let x = { (count: Int) in
      left + (log10(Double(count)) - log10(Double(fewest)))
        / (log10(Double(most)) - log10(Double(fewest))) * (end - left)
    }
    let y = { (value: Double) in
      bottom - (log10(value) - decades.low) / (decades.high - decades.low) * (bottom - top)
    }
    for decade in Int(decades.low)...Int(decades.high) {
      let value = pow(10, Double(decade))
      drawing.line([(left, y(value)), (end, y(value))], style: "grid")
      let name = decade < 0 ? String(value) : String(Int(value))
      drawing.text("\(name) ms", at: (left - 8, y(value) + 4), anchor: .end, style: "quiet")
    }
    for count in Set(counts).sorted() {
      drawing.text(String(count), at: (x(count), bottom + 20), anchor: .middle, style: "quiet")
    }
    drawing.text("leases", at: ((left + x(most)) / 2, bottom + 40), anchor: .middle, style: "quiet")
    var taken: [Double] = []
    for line in lines {
      draw(line, into: &drawing, x: x, y: y, avoiding: &taken)
    }
    return drawing.svg
  }

  private func draw(
    _ line: Line, into drawing: inout Drawing, x: (Int) -> Double, y: (Double) -> Double,
    avoiding taken: inout [Double]
  ) {
    let style = line.contender.rawValue
    let points = line.points.map { (x: x($0.leases), y: y($0.value)) }
    drawing.line(points, style: line.verb == .delete ? "\(style) dashed" : style)
    for point in points { drawing.dot(at: point, style: style) }
    guard let end = points.last, let value = line.points.last?.value else { return }
    // Labels of lines that end close together must not cover each other.
    var height = end.y + 4
    while let near = taken.first(where: { ($0 - height).magnitude < 15 }) { height = near + 15 }
    taken.append(height)
    drawing.text(
      "\(line.contender.title) \(line.verb.rawValue), \(decimal(value))", at: (end.x + 10, height))
  }
}

extension Measurement {
  /// The picture of the address stores.
  func growth(of scenarios: [Scenario]) -> LeasePlot {
    var lines: [LeasePlot.Line] = []
    for contender in [Contender.upstream, .ours] {
      for verb in [Verb.add, .delete] {
        let points = scenarios.compactMap { scenario -> (Int, Double)? in
          let key = Key(scenario: scenario.name, contender: contender, verb: verb)
          guard let leases = scenario.leases, let found = samples[key] else { return nil }
          return (leases, found.median.milliseconds)
        }
        if !points.isEmpty {
          lines.append(LeasePlot.Line(contender: contender, verb: verb, points: points))
        }
      }
    }
    return LeasePlot(lines: lines)
  }
}
