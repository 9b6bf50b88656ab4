/// What was measured of one verb of one contender.
struct Samples {
  private(set) var wall: [Duration] = []
  private(set) var processor: [Duration] = []
  /// The whole of a round divided by its operations: what counts when several run at a time.
  private(set) var share: [Duration] = []

  mutating func append(_ costs: [Cost], wall total: Duration) {
    wall += costs.map(\.wall)
    processor += costs.map(\.processor)
    if !costs.isEmpty { share.append(total / costs.count) }
  }

  var median: Duration { wall.quantile(0.5) }
  var p99: Duration { wall.quantile(0.99) }
  /// Mean, because the kernel's accounting of short processes is coarse.
  var meanProcessor: Duration {
    processor.isEmpty ? .zero : processor.reduce(.zero, +) / processor.count
  }
  var medianShare: Duration { share.quantile(0.5) }
  var count: Int { wall.count }
}

extension [Duration] {
  /// The value below which this part of the samples lies; zero if there are none.
  func quantile(_ part: Double) -> Duration {
    guard !isEmpty else { return .zero }
    let index = Int((Double(count - 1) * part).rounded())
    return sorted()[index]
  }
}
