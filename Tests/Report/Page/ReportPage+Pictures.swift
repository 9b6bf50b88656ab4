internal import Figures
internal import Glibc
internal import TestSupport

extension ReportPage {
  /// How much was tried at each gate, and how much of it went wrong.
  var points: BarPlot {
    let groups = HardGate.allCases.map { gate -> BarPlot.Group in
      let ours = suites.sum(of: gate).ours
      let label = "\(grouped(ours.failed)) of \(grouped(ours.tried)) failed"
      return BarPlot.Group(
        title: gate.rawValue,
        bars: [
          BarPlot.Bar(
            style: ours.failed == 0 ? "floor" : "ours", value: log10(Double(ours.tried) + 1),
            label: ours.tried == 0 ? "not tried" : label)
        ])
    }
    return BarPlot(
      title: "Points tried at each gate", subtitle: "The longer, the more; logarithmic.",
      groups: groups, isOneScale: true, titleWidth: 235)
  }

  /// Which part of the same points went wrong with ours and with upstream's.
  var comparison: BarPlot {
    let groups = HardGate.allCases.compactMap { gate -> BarPlot.Group? in
      let sum = suites.sum(of: gate)
      guard sum.upstream.tried > 0 else { return nil }
      return BarPlot.Group(
        title: gate.rawValue,
        bars: [
          bar("ours", "swift-cni", sum.oursBeside), bar("upstream", "upstream", sum.upstream),
        ])
    }
    return BarPlot(
      title: "The same faults, ours and upstream's",
      subtitle:
        "The part of the points that failed; only tests that run on both. Shorter is better.",
      groups: groups, isOneScale: true, titleWidth: 235)
  }

  private func bar(_ style: String, _ who: String, _ figures: GateFigures) -> BarPlot.Bar {
    BarPlot.Bar(
      style: style, value: figures.share,
      label: "\(grouped(figures.failed)) of \(grouped(figures.tried))  \(who)")
  }
}
