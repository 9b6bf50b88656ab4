/// One figure that the project wants to reach, and whether it does.
public struct Goal {
  /// What it is a figure of.
  public var what: String
  /// What was measured, for people.
  public var measured: String
  /// What it is compared with.
  public var rival: String
  /// The figure over what it is compared with; the smaller, the better.
  public var ratio: Double
  /// The most that is good.
  public var limit: Double

  /// Whether it is reached.
  public var isMet: Bool { ratio <= limit }

  /// A goal.
  public init(what: String, measured: String, rival: String, ratio: Double, limit: Double) {
    self.what = what
    self.measured = measured
    self.rival = rival
    self.ratio = ratio
    self.limit = limit
  }

  /// The table of goals, as README shows it.
  public static func table(_ goals: [Goal]) -> String {
    var lines = [
      "| figure | swift-cni | compared with | ratio | goal |", "| --- | --- | --- | --- | --- |",
    ]
    lines += goals.map { goal in
      "| \(goal.what) | \(goal.measured) | \(goal.rival) | \(decimal(goal.ratio)) "
        + "| \(goal.isMet ? "" : "**missed:** ")at most \(decimal(goal.limit)) |"
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// A number with two decimals below ten, one above, and four below a tenth.
public func decimal(_ value: Double) -> String {
  let digits = value.magnitude < 0.1 ? 4 : value.magnitude < 10 ? 2 : 1
  let decimals = (0..<digits).reduce(1) { product, _ in product * 10 }
  let scaled = Int((value * Double(decimals)).rounded())
  let whole = scaled / decimals
  let rest = String(abs(scaled) % decimals)
  let padding = String(repeating: "0", count: digits - rest.count)
  return "\(whole).\(padding)\(rest)"
}

/// A number with spaces between its thousands.
public func grouped(_ number: Int) -> String {
  var groups: [String] = []
  var digits = Substring(String(number.magnitude))
  while digits.count > 3 {
    groups.append(String(digits.suffix(3)))
    digits = digits.dropLast(3)
  }
  return (number < 0 ? "-" : "") + ([String(digits)] + groups.reversed()).joined(separator: " ")
}
