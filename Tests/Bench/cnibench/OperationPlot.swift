import Figures

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
      let bars = scenario.contenders.compactMap { contender -> BarPlot.Bar? in
        let key = Key(scenario: name, contender: contender, verb: verb)
        guard let found = samples[key] else { return nil }
        let figure = scenario.width > 1 ? found.medianShare : found.median
        return BarPlot.Bar(
          style: contender.rawValue, value: figure.milliseconds,
          label: "\(decimal(figure.milliseconds)) ms  \(contender.title)")
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
