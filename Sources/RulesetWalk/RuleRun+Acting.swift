internal import Addressing
internal import Nftables

extension RuleRun {
  /// Steps that do something.
  mutating func act(_ step: RuleStep) -> StepResult {
    switch step {
    case .verdict(let verdict): return end(with: verdict)
    case .reject: return end(.refused, .refuse)
    case .queue: return end(.queued, .queue)
    case .setMeta(.mark, let source): return mark(registers.load(source, count: 4).known)
    case .setConnection(.mark, let source):
      if assumption == nil {
        branch.packet.connection?.mark =
          registers.load(source, count: 4).known.map { UInt32(hostBytes: $0) }
      } else {
        branch.packet.connection?.mark = nil
      }
      return .goOn
    case .untracked:
      if assumption != nil { return .doubtful(.unknown("leave the connection alone")) }
      // One that was looked up stays.
      if branch.packet.connection == nil {
        branch.packet.isUntracked = true
        note(.untracked)
      }
      return .goOn
    case .translate(let translation): return translate(translation)
    case .masquerade(let port): return masquerade(port)
    case .redirect(let port): return redirect(port)
    case .foreignTarget(let part): return act(part)
    case .unknown(let name):
      return .doubtful(.unknown(name))
    default:
      // Counters, logs, marks that nobody here asks for.
      return .goOn
    }
  }

  /// Ends with a verdict.
  func end(with verdict: Verdict) -> StepResult {
    let action: Doubt.Action =
      switch verdict {
      case .accept: .accept
      case .drop: .drop
      case .return: .unknown("return")
      case .jump(let chain), .goto(let chain): .goOn(chain: chain)
      }
    return end(.verdict(verdict), action)
  }

  private func end(_ result: RuleResult, _ action: Doubt.Action) -> StepResult {
    assumption == nil ? .end(result) : .doubtful(action)
  }

  private mutating func mark(_ bytes: [UInt8]?) -> StepResult {
    guard assumption == nil, let bytes else {
      _ = goOn(if: nil, orAssume: "the mark that it gives is not known")
      return .doubtful(.mark)
    }
    let mark = UInt32(hostBytes: bytes)
    if mark != branch.packet.mark {
      branch.packet.mark = mark
      note(.marked(mark))
    }
    return .goOn
  }
}

// MARK: - Translating

extension RuleRun {
  private mutating func translate(_ translation: RuleStep.Translation) -> StepResult {
    var address: IPAddress?
    var port: UInt16?
    let old = translation.isSource ? branch.packet.source : branch.packet.destination
    if let addresses = translation.addresses {
      guard let first = self.address(addresses.first), let last = self.address(addresses.last),
        let chosen = translation.keepsHostPart
          ? old.moved(into: first, last) : first == last ? first : nil
      else { return unknownTranslation() }
      address = chosen
    }
    if let ports = translation.ports {
      guard let first = registers.load(ports.first, count: 2).known,
        let last = registers.load(ports.last, count: 2).known
      else { return unknownTranslation() }
      // Of several ports the kernel keeps the one that is there, if it can.
      port = first == last ? UInt16(networkBytes: first) : nil
      if first != last, !translation.isSource { return unknownTranslation() }
    }
    return translated(isSource: translation.isSource, address, port)
  }

  private func address(_ register: Register) -> IPAddress? {
    registers.load(register, count: branch.packet.family.byteCount).known
      .flatMap { IPAddress(bytes: $0) }
  }

  private mutating func unknownTranslation() -> StepResult {
    _ = goOn(if: nil, orAssume: "it chooses among several addresses or ports")
    return .doubtful(.translate)
  }

  /// Replaces source or destination, and ends the rule as the kernel does.
  mutating func translated(
    isSource: Bool, _ address: IPAddress?, _ port: UInt16?
  ) -> StepResult {
    guard assumption == nil else { return .doubtful(.translate) }
    if isSource {
      branch.packet.source = address ?? branch.packet.source
      // The kernel may choose another one than the sender did.
      branch.packet.sourcePort = port ?? branch.packet.sourcePort
      branch.packet.connection?.sourceIsTranslated = true
      note(.sourceTranslated(branch.packet))
    } else {
      branch.packet.destination = address ?? branch.packet.destination
      branch.packet.destinationPort = port ?? branch.packet.destinationPort
      branch.packet.connection?.destinationIsTranslated = true
      note(.destinationTranslated(branch.packet))
    }
    return .end(.verdict(.accept))
  }

  mutating func masquerade(_ port: Register?) -> StepResult {
    guard let output = branch.packet.output,
      let own = setting.facts.ownAddress(output, branch.packet.destination)
    else { return unknownTranslation() }
    return translated(isSource: true, own, nil)
  }

  private mutating func redirect(_ port: Register?) -> StepResult {
    let number = port.map { registers.load($0, count: 2).known.map { UInt16(networkBytes: $0) } }
    if case .some(nil) = number { return unknownTranslation() }
    return redirect(to: number ?? nil)
  }

  /// Replaces the destination by the host itself: the first address of the link it came in by.
  mutating func redirect(to port: UInt16?) -> StepResult {
    let own =
      branch.packet.input.map { setting.facts.ownAddress($0, branch.packet.source) }
      ?? (branch.packet.family == .v4 ? .loopback : .loopbackV6)
    guard let own else { return unknownTranslation() }
    return translated(isSource: false, own, port)
  }
}

extension IPAddress {
  /// Kernel name: `INADDR_LOOPBACK`.
  fileprivate static let loopback = IPAddress(bits: 0x7f00_0001, family: .v4)
  /// Kernel name: `in6addr_loopback`.
  fileprivate static let loopbackV6 = IPAddress(bits: 1, family: .v6)

  /// The same host in the network that lies between two addresses. `NF_NAT_RANGE_NETMAP`
  fileprivate func moved(into first: IPAddress, _ last: IPAddress) -> IPAddress? {
    let hostBits = first.bits ^ last.bits
    return IPAddress(bits: first.bits & ~hostBits | bits & hostBits, family: family)
  }
}
