internal import Addressing
internal import Nftables

extension RuleRun {
  /// Steps that load something into registers; nil if the step is none.
  mutating func load(_ step: RuleStep) -> StepResult? {
    switch step {
    case .payload(let header, let offset, let length, let target):
      registers.store(
        branch.packet.bytes(of: header, offset: offset, length: length), target)
    case .meta(let fact, let target): return store(value(of: fact), target)
    case .connection(let fact, let direction, let target):
      return store(value(of: fact, direction ?? .original), target)
    case .route(let question, let target): registers.store(answer(question), target)
    case .constant(let bytes, let target): registers.store(bytes, target)
    case .masked(let source, let target, let mask, let other):
      let bytes = registers.load(source, count: mask.count)
      registers.store(
        zip(bytes, zip(mask, other)).map { byte, bits in
          // What no bit is kept of is known all the same.
          bits.0 == 0 ? bits.1 : byte.map { $0 & bits.0 ^ bits.1 }
        }, target)
    case .reordered(let source, let target, let length, let size):
      let bytes = registers.load(source, count: length)
      registers.store(
        stride(from: 0, to: length, by: max(1, size)).flatMap { start in
          bytes[start..<min(start + max(1, size), length)].reversed()
        }, target)
    case .unknownLoad(_, let target):
      registers.store(.unknown(16), target)
    default: return nil
    }
    return .goOn
  }

  private mutating func store(_ value: PartlyKnown?, _ target: Register) -> StepResult {
    guard let value else { return .noMatch }
    registers.store(value, target)
    return .goOn
  }

  /// What the kernel knows about the packet; nil ends the rule.
  private func value(of fact: MetaFact) -> PartlyKnown? {
    let packet = branch.packet
    switch fact {
    case .frameProtocol: return packet.frameProtocol
    case .networkProtocol:
      return [setting.table.family == .bridge ? 7 : packet.family == .v4 ? 2 : 10]
    case .transportProtocol: return [packet.transport.rawValue]
    case .mark: return packet.mark.hostBytes
    case .inputIndex: return (packet.input?.index ?? 0).hostBytes
    case .outputIndex: return (packet.output?.index ?? 0).hostBytes
    case .inputName: return (packet.input?.name ?? "").linkBytes
    case .outputName: return (packet.output?.name ?? "").linkBytes
    case .inputHardware: return packet.input.map { $0.hardwareType.hostBytes }
    case .outputHardware: return packet.output.map { $0.hardwareType.hostBytes }
    case .inputKind: return packet.input.map { $0.kind?.linkBytes ?? .unknown(16) }
    case .outputKind: return packet.output.map { $0.kind?.linkBytes ?? .unknown(16) }
    case .inputBridgeName: return packet.input?.bridge?.linkBytes
    case .outputBridgeName: return packet.output?.bridge?.linkBytes
    case .packetType:
      // PACKET_OTHERHOST where a bridge passes it on, else PACKET_HOST.
      return [setting.table.family == .bridge && setting.place == .forward ? 3 : 0]
    case .traced: return [0]
    }
  }

  /// What the kernel knows about the connection; nil ends the rule.
  private func value(
    of fact: ConnectionFact, _ direction: ConnectionDirection
  ) -> PartlyKnown? {
    let packet = branch.packet
    guard let connection = packet.connection else {
      guard fact == .state else { return nil }
      return (packet.isUntracked ? UInt32(0x40) : ConnectionState.invalid.rawValue).hostBytes
    }
    let isReply = direction == .reply
    switch fact {
    case .state: return ConnectionState.new.rawValue.hostBytes
    case .status:
      var status: ConnectionStatus = []
      if connection.sourceIsTranslated { status.insert(.sourceTranslated) }
      if connection.destinationIsTranslated { status.insert(.destinationTranslated) }
      return status.rawValue.hostBytes
    case .direction: return [ConnectionDirection.original.rawValue]
    case .mark: return connection.mark?.hostBytes ?? .unknown(4)
    case .networkProtocol: return [packet.family == .v4 ? 2 : 10]
    case .transportProtocol: return [packet.transport.rawValue]
    case .source, .sourceV4, .sourceV6:
      return address(isReply ? packet.destination : connection.source, fact)
    case .destination, .destinationV4, .destinationV6:
      return address(isReply ? packet.source : connection.destination, fact)
    case .sourcePort:
      return isReply
        ? packet.destinationPort.networkBytes
        : connection.sourcePort?.networkBytes ?? .unknown(2)
    case .destinationPort:
      return isReply
        ? packet.sourcePort?.networkBytes ?? .unknown(2)
        : connection.destinationPort.networkBytes
    case .zone: return [0, 0]
    }
  }

  /// An address, if it is of the family that is asked for.
  private func address(_ address: IPAddress, _ fact: ConnectionFact) -> PartlyKnown? {
    let wanted: IPFamily? =
      switch fact {
      case .sourceV4, .destinationV4: .v4
      case .sourceV6, .destinationV6: .v6
      default: nil
      }
    return wanted == nil || wanted == address.family ? address.bytes : nil
  }

  /// What the routes say.
  private func answer(_ question: RuleStep.RouteQuestion) -> PartlyKnown {
    let packet = branch.packet
    let address = question.isAboutSource ? packet.source : packet.destination
    let only = question.onlyInput ? packet.input : question.onlyOutput ? packet.output : nil
    switch question.result {
    case .addressType:
      return setting.facts.addressType(address, only?.index).map { UInt32($0).hostBytes }
        ?? .unknown(4)
    case .linkIndex, .linkName:
      guard let answer = setting.facts.link(address) else { return .unknown(16) }
      let link = answer.flatMap { found in only == nil || only == found ? found : nil }
      if question.asksPresence { return [link == nil ? 0 : 1] }
      return question.result == .linkIndex
        ? (link?.index ?? 0).hostBytes : (link?.name ?? "").linkBytes
    }
  }
}

extension PacketLink {
  /// ARP's number for the hardware: `ARPHRD_LOOPBACK`, or else `ARPHRD_ETHER`.
  fileprivate var hardwareType: UInt16 { name == "lo" ? 772 : 1 }
}

extension String {
  /// A link's name as registers hold it.
  var linkBytes: PartlyKnown {
    let bytes = Array(utf8.prefix(16))
    return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
  }
}
