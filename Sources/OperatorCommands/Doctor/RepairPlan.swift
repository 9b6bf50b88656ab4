internal import Addressing
internal import CNI
internal import CNIRuntime
internal import JSON

/// What a repair would do, in order: what is gone goes first, so that nothing of it is in the way of
/// what is put back; then the node as a whole; then pods, plugin by plugin as the list has them.
struct RepairPlan {
  /// One thing that is done or not.
  struct Step: Equatable {
    let mend: Finding.Mend
    /// What it is, for people.
    let summary: String
  }

  private(set) var steps: [Step] = []
  /// What only people can put right.
  private(set) var left: [Finding] = []

  init(_ diagnosis: Diagnosis) {
    for finding in diagnosis.findings {
      guard let mend = finding.mend else {
        if finding.kind.severity > .note { left.append(finding) }
        continue
      }
      guard !steps.contains(where: { $0.mend == mend }) else { continue }
      steps.append(Step(mend: mend, summary: Self.summary(mend, diagnosis)))
    }
    let order = steps.sorted { $0.mend.rank < $1.mend.rank }
    steps = order
  }

  private static func summary(_ mend: Finding.Mend, _ diagnosis: Diagnosis) -> String {
    let reasons = diagnosis.findings.filter { $0.mend == mend }
    switch mend {
    case .remove(let attachment):
      let things = reasons.map(\.place).joined(separator: ", ")
      return "remove what is left of \(attachment.container) (\(attachment.interface)) on "
        + "\(attachment.network): \(things)"
    case .restore(let attachment, let place):
      let pod = diagnosis.inventory.pod(attachment)
      let type = pod?.list.plugins[place]["type"]?.textValue ?? "?"
      return "restore \(type) of \(pod?.name ?? attachment.container.text) "
        + "(\(attachment.interface)) on \(attachment.network): "
        + reasons.map(\.what).joined(separator: "; ")
    case .applyServices:
      return "apply services: " + reasons.map(\.what).joined(separator: "; ")
    case .applyFlatNetwork:
      return "apply the flat network: " + reasons.map(\.what).joined(separator: "; ")
    }
  }
}

extension Finding.Mend {
  /// What comes before what.
  fileprivate var rank: (Int, Int, String) {
    switch self {
    case .remove(let attachment): (0, 0, attachment.description)
    case .applyFlatNetwork: (1, 0, "")
    case .restore(let attachment, let place): (2, place, attachment.description)
    case .applyServices: (3, 0, "")
    }
  }
}
