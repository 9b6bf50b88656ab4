internal import CNI
internal import CNIRuntime
internal import Linux
internal import Netlink
internal import NodeFiles
internal import Overlay
internal import Plumbing
internal import RouteNetlink
internal import Services

/// Does the steps of a plan, each after one more look: a runtime may be at work at the same time.
struct RepairWork {
  let paths: DoctorPaths
  let inventory: NodeInventory

  /// What became of a step.
  enum Outcome: Equatable {
    case done
    /// It is not needed any more.
    case passedOver(String)
  }

  func perform(_ step: RepairPlan.Step) throws -> Outcome {
    switch step.mend {
    case .remove(let attachment): return try remove(attachment)
    case .restore(let attachment, let place): return try restore(attachment, place)
    case .applyServices:
      let report = try DoctorPaths.services(paths.usualServicePaths).apply()
      try ServiceRoutes.settle(
        to: report.settings.serviceRanges, on: try NetlinkSocket<RouteFamily>())
      return .done
    case .applyFlatNetwork:
      try paths.flatNetwork().apply()
      return .done
    }
  }

  /// Deletes all that an attachment has left, by DEL of the list that it was added by.
  private func remove(_ attachment: Attachment) throws -> Outcome {
    let cached = try paths.cache.attachment(attachment)
    if let cached, NamespaceState(of: cached.namespacePath) != .gone {
      return .passedOver("it is back")
    }
    if cached == nil, inventory.pod(attachment) != nil {
      return .passedOver("it has been deleted meanwhile")
    }
    let list: NetworkList
    if let pod = inventory.pod(attachment) {
      list = pod.list
    } else if let present = inventory.list(of: attachment.network.text) {
      list = present
    } else {
      throw OperatorFailure("there is no list of network \(attachment.network)")
    }
    var arguments =
      cached?.arguments
      ?? AttachmentArguments(
        container: attachment.container, namespacePath: "", interface: attachment.interface)
    // The path leads nowhere; what should lie there by now is another's.
    arguments.namespacePath = ""
    try paths.runner.delete(arguments, from: list)
    return .done
  }

  /// Lets a plugin put back what a living pod lacks.
  private func restore(_ attachment: Attachment, _ place: Int) throws -> Outcome {
    guard let pod = inventory.pod(attachment), try isThere(pod) else {
      return .passedOver("it has been deleted meanwhile")
    }
    try paths.runner.repair(pod.arguments, on: pod.list, at: place)
    if try !isThere(pod) {
      // A DEL may have come before what has just been put back.
      try paths.runner.delete(pod.arguments, from: pod.list)
      return .passedOver("it was deleted meanwhile, so what was put back is removed again")
    }
    return .done
  }

  private func isThere(_ pod: RememberedPod) throws -> Bool {
    try paths.cache.attachment(pod.attachment) != nil
      && NamespaceState(of: pod.cached.namespacePath) == .present
  }
}
