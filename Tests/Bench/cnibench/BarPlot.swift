/// How long operations take beside each other, each group drawn against its slowest.
struct BarPlot {
  struct Group {
    var title: String
    /// Milliseconds.
    var bars: [(contender: Contender, value: Double)]
  }

  var title: String
  var subtitle: String
  var groups: [Group]

  var svg: String {
    let (rowHeight, gap, left, right) = (17.0, 16.0, 240.0, 150.0)
    let rows = groups.reduce(0) { $0 + $1.bars.count }
    let top = 66.0
    var drawing = Drawing(
      width: 760, height: top + Double(rows) * rowHeight + Double(groups.count) * gap)
    drawing.text(title, at: (20, 28), style: "title")
    drawing.text(subtitle, at: (20, 48), style: "quiet")

    let reach = drawing.width - left - right
    var y = top
    for group in groups {
      let longest = group.bars.map(\.value).max() ?? 1
      drawing.text(group.title, at: (20, y + 13))
      for bar in group.bars {
        let length = max(1.5, bar.value / longest * reach)
        drawing.bar(at: (left, y), size: (length, rowHeight - 3), style: bar.contender.rawValue)
        drawing.text(
          "\(decimal(bar.value)) ms  \(bar.contender.title)", at: (left + length + 6, y + 11),
          style: "quiet")
        y += rowHeight
      }
      y += gap
    }
    return drawing.svg
  }
}

extension Measurement {
  /// The picture of ADD and DEL of whole pods.
  func operations(of scenarios: [Scenario]) -> BarPlot {
    let shown: [(String, Verb)] = [
      ("bridge", .add), ("bridge", .delete), ("masq", .add), ("masq", .delete), ("ptp", .add),
      ("dual", .add), ("bridge16", .add), ("portmap", .add), ("firewall", .add), ("chain", .add),
      ("chain", .delete), ("start", .version),
    ]
    let groups = shown.compactMap { name, verb -> BarPlot.Group? in
      guard let scenario = scenarios.first(where: { $0.name == name }) else { return nil }
      let bars = scenario.contenders.compactMap { contender -> (Contender, Double)? in
        let key = Key(scenario: name, contender: contender, verb: verb)
        guard let found = samples[key] else { return nil }
        let figure = scenario.width > 1 ? found.medianShare : found.median
        return (contender, figure.milliseconds)
      }
      return bars.isEmpty ? nil : BarPlot.Group(title: scenario.label(verb), bars: bars)
    }
    return BarPlot(
      title: "Time of one operation",
      subtitle: "Medians; each group is drawn against its slowest. Shorter is better.",
      groups: groups)
  }
}

extension Scenario {
  fileprivate func label(_ verb: Verb) -> String {
    switch name {
    case "start": "VERSION"
    case "bridge": "\(verb.rawValue), bridge"
    case "masq": "\(verb.rawValue), bridge with ipMasq"
    case "dual": "\(verb.rawValue), bridge, IPv4 and IPv6"
    case "chain": "\(verb.rawValue), bridge and all behind it"
    case "bridge16": "\(verb.rawValue), bridge, 16 at a time, each"
    default: "\(verb.rawValue), \(plugin)"
    }
  }
}
