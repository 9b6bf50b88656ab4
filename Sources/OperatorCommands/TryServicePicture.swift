/// A service as a picture: who asks where, and which pod has answered how often.
struct TryServicePicture: Equatable {
  /// Somebody who asks, and where.
  struct Entrance: Equatable {
    var name: String
    /// With their ports, one of each family.
    var addresses: [String]
  }

  /// A pod, and how many connections it has taken.
  struct Answer: Equatable {
    var pod: String
    var count: Int
  }

  var service: String
  var entrances: [Entrance]
  var answers: [Answer]

  /// The picture in characters, to be read from left to right.
  ///
  ///     host ──── 10.96.0.10:80 ───┐                 ┌─ pod-1 ████████ 103
  ///                                ├── service web ──┤
  ///     outside ─ 192.0.2.2:30080 ─┘                 └─ pod-2 ███████▌ 97
  var drawing: String {
    let left = askers
    let width = (left.map(\.count).max() ?? 0) + 2
    let middle = " service \(service) "
    let gap = String(repeating: " ", count: middle.count + 4)
    return left.indices.map { row in
      let line = left[row]
      let rule = String(repeating: line.isEmpty ? " " : "─", count: width - line.count - 1)
      let start = "  \(line)\(line.isEmpty ? " " : " ")\(rule)"
      let isFirst = row == 0
      let isLast = row == left.count - 1
      if row == left.count / 2 { return "\(start)├──\(middle)──┤" }
      let rail = isFirst ? "┐" : isLast ? "┘" : line.isEmpty ? "│" : "┤"
      let end = isFirst ? "┌─ \(bar(answers.first))" : isLast ? "└─ \(bar(answers.last))" : "│"
      return "\(start)\(rail)\(gap)\(end)"
    }.joined(separator: "\n")
  }

  /// A row for each address and one between those of two askers; the same number above and below the
  /// middle.
  private var askers: [String] {
    let width = (entrances.map(\.name.count).max() ?? 0) + 2
    var rows: [String] = []
    for entrance in entrances {
      if !rows.isEmpty { rows.append("") }
      for (place, address) in entrance.addresses.enumerated() {
        let dashes = String(repeating: "─", count: width - entrance.name.count - 1)
        let name =
          place == 0 ? "\(entrance.name) \(dashes)" : String(repeating: " ", count: width)
        rows.append("\(name) \(address)")
      }
    }
    return rows
  }

  private func bar(_ answer: Answer?) -> String {
    guard let answer else { return "" }
    let most = max(1, answers.map(\.count).max() ?? 1)
    // Half a block for each sixteenth of what the busiest has taken.
    let halves = (answer.count * 16 + most / 2) / most
    let blocks = String(repeating: "█", count: halves / 2) + (halves % 2 == 1 ? "▌" : "")
    return "\(answer.pod) \(blocks) \(answer.count)"
  }
}
