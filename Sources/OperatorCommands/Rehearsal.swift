internal import Addressing
internal import CNI
internal import CNIRuntime
internal import Linux

/// The steps of `cnictl try`, each told as it is done.
struct Rehearsal {
  let list: NetworkList
  let runner: NetworkRunner
  let surroundings: Surroundings

  func run(on stage: borrowing TryStage) throws {
    let before = try stock(of: stage)
    try stage.stand(.host) { try runner.status(of: list) }
    try done("the plugins are ready")
    for pod in TryPod.allCases {
      let time = try add(pod, on: stage)
      try done("added \(pod.name) in \(time.inMilliseconds)")
    }
    for pod in TryPod.allCases {
      let arguments = try stage.arguments(pod)
      try stage.stand(.host) { try runner.check(arguments, on: list) }
    }
    try done("both are as their results say")
    let picture = try TryPicture(of: stage)
    try surroundings.print("\n\(picture.drawing)\n")
    for family in stage.hostAddresses.map(\.address.family) {
      try reachEverybody(over: family, on: stage)
    }
    try tryService(on: stage)
    for pod in TryPod.allCases {
      let time = try delete(pod, on: stage)
      try done("deleted \(pod.name) in \(time.inMilliseconds)")
    }
    try tryServiceWithoutPods(on: stage)
    try requireNothingLeft(on: stage, since: before)
    try done("nothing is left of them: no link, no address, no rule, no lease")
  }

  private func add(_ pod: TryPod, on stage: borrowing TryStage) throws -> Duration {
    let arguments = try stage.arguments(pod)
    let start = MonotonicTime.now
    try stage.stand(.host) { _ = try runner.add(arguments, to: list) }
    return MonotonicTime.now - start
  }

  private func delete(_ pod: TryPod, on stage: borrowing TryStage) throws -> Duration {
    let arguments = try stage.arguments(pod)
    let start = MonotonicTime.now
    try stage.stand(.host) { try runner.delete(arguments, from: list) }
    return MonotonicTime.now - start
  }

  private func reachEverybody(over family: IPFamily, on stage: borrowing TryStage) throws {
    let first = try address(of: .first, family, on: stage)
    let second = try address(of: .second, family, on: stage)
    let gateway = try gateway(family, on: stage)
    let host = stage.hostAddresses.map(\.address).first { $0.family == family }
    let outside = stage.outsideAddresses.map(\.address).first { $0.family == family }
    guard let host, let outside else { return }
    try tell(.pod(.first), .pod(.second), at: second, seenAs: first, on: stage)
    try tell(.pod(.second), .pod(.first), at: first, seenAs: second, on: stage)
    try tell(.pod(.first), .host, at: gateway, seenAs: first, on: stage)
    try tell(.host, .pod(.first), at: first, seenAs: gateway, on: stage)
    try tell(
      .pod(.second), .outside, at: outside, seenAs: host, note: ", the host's (masqueraded)",
      on: stage)
  }

  /// Lets one reach another, and demands that it is seen by the right address.
  private func tell(
    _ from: TryPlace, _ to: TryPlace, at address: IPAddress, seenAs expected: IPAddress,
    note: String = "", on stage: borrowing TryStage
  ) throws {
    let met = try Reachability(from: from, to: to, at: address, on: stage)
    guard met.seenAs == expected else {
      throw OperatorFailure(
        "\(to.name) sees \(from.name) as \(met.seenAs) instead of \(expected)")
    }
    try done(
      "\(from.name) reaches \(to.name) at \(address) in \(met.time.inMilliseconds), "
        + "seen as \(met.seenAs)\(note)")
  }

  /// The address that a pod was given.
  func address(
    of pod: TryPod, _ family: IPFamily, on stage: borrowing TryStage
  ) throws -> IPAddress {
    guard let found = try given(pod, on: stage).first(where: { $0.address.family == family })
    else { throw OperatorFailure("\(pod.name) has no \(family) address") }
    return found.address.address
  }

  private func gateway(
    _ family: IPFamily, on stage: borrowing TryStage
  ) throws -> IPAddress {
    let found = try given(.first, on: stage).first { $0.address.family == family }
    guard let gateway = found?.gateway else {
      throw OperatorFailure("\(TryPod.first.name) has no \(family) gateway")
    }
    return gateway
  }

  private func given(_ pod: TryPod, on stage: borrowing TryStage) throws -> [ResultAddress] {
    let attachment = try stage.arguments(pod).attachment(to: list.name)
    return try runner.cache.attachment(attachment)?.readResult()?.addresses ?? []
  }

  /// What there is on the host and in each pod.
  ///
  /// New namespaces may hold more than `lo`: some kernels put tunnels into each.
  private func stock(of stage: borrowing TryStage) throws -> [Leftovers] {
    var stock = [try stage.stand(.host) { try Leftovers(directories: [stage.directory]) }]
    for pod in TryPod.allCases { stock.append(try stage.stand(.pod(pod)) { try Leftovers() }) }
    return stock
  }

  /// Compares with what was there before the first ADD.
  ///
  /// The bridge itself stays, with the gateway's addresses: upstream's plugin leaves it for the next
  /// pod, and so does ours. Of the store its lock, its cursors and its index stay; and services stay
  /// when their last pod has gone.
  private func requireNothingLeft(
    on stage: borrowing TryStage, since before: [Leftovers]
  ) throws {
    var left = zip(try stock(of: stage), before).flatMap { $0.added(since: $1) }
    let bridge = TryNetwork.bridge
    left.removeAll { line in
      line == "link \(bridge)" || line.hasSuffix(" on \(bridge)") || line.hasPrefix("route to ")
        || isHouseholdFile(line)
    }
    guard left.isEmpty else { throw OperatorFailure("something is left: \(listed(left))") }
  }

  private func isHouseholdFile(_ line: String) -> Bool {
    guard let name = line.split(separator: "/").last else { return false }
    return line.hasPrefix("file ")
      && (name == "lock" || name.hasPrefix("last_reserved_ip.") || line.contains("/.swift-cni/")
        || line.contains("/run/services/") || name == "allocations.json")
  }

  /// Tells what has been done.
  func done(_ what: String) throws {
    try surroundings.print("✔ \(what)")
  }
}

extension Duration {
  /// As milliseconds with one digit behind the point.
  fileprivate var inMilliseconds: String {
    let (seconds, attoseconds) = components
    let tenths = seconds * 10_000 + attoseconds / 100_000_000_000_000
    return "\(tenths / 10).\(tenths % 10) ms"
  }
}
