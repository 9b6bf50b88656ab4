public import Netlink

extension TrafficFilter {
  /// Reads a filter from a reply; nil if it compares no words, or is a table of such filters.
  public init?(_ message: Message) {
    guard message.header.type == TrafficRequest.newFilter,
      let link: UInt32 = message.fixed(at: 4), let parent: UInt32 = message.fixed(at: 12),
      let information: UInt32 = message.fixed(at: 16)
    else { return nil }
    let attributes = message.attributes(after: TrafficHeader.byteCount)
    guard attributes[TrafficAttribute.kind]?.text == TrafficKindName.wordFilter,
      let options = attributes[TrafficAttribute.options]?.attributes,
      let words = options[WordFilterAttribute.selector].flatMap(PacketWord.words(reading:))
    else { return nil }
    let etherType = UInt16(bigEndian: UInt16(truncatingIfNeeded: information))
    self.init(
      Packets(words, etherType: etherType),
      into: TrafficHandle(rawValue: options[WordFilterAttribute.flow]?.uint32 ?? 0),
      onLink: link, at: TrafficHandle(rawValue: parent),
      priority: UInt16(information >> 16))
    redirection =
      options[WordFilterAttribute.actions]?.attributes.lazy
      .compactMap(Self.redirection(in:)).first
  }

  /// What the message's header says beside the places: `TC_H_MAKE(prio << 16, protocol)`.
  var information: UInt32 {
    UInt32(priority) << 16 | UInt32(packets.etherType.bigEndian)
  }

  /// Writes kind, packets and action.
  func write(to writer: inout AttributeWriter) {
    writer.text(TrafficAttribute.kind, TrafficKindName.wordFilter)
    writer.nest(TrafficAttribute.options) { options in
      options.uint32(WordFilterAttribute.flow, flow.rawValue)
      options.nest(WordFilterAttribute.selector, marked: false) { selector in
        PacketWord.write(packets.words, to: &selector)
      }
      guard let redirection else { return }
      options.nest(WordFilterAttribute.actions) { actions in
        // Numbered in the order in which they are done.
        actions.nest(1) { Self.write(redirectionTo: redirection, to: &$0) }
      }
    }
  }

  /// `struct tc_mirred`: index, capab, action, refcnt, bindcnt, eaction, ifindex.
  private static func write(redirectionTo target: UInt32, to action: inout AttributeWriter) {
    action.text(ActionNumber.kind, TrafficKindName.redirection)
    action.nest(ActionNumber.options) { options in
      options.nest(ActionNumber.redirectParameters, marked: false) { parameters in
        for number in [0, 0, ActionNumber.stolen, 0, 0, ActionNumber.redirectToSending, target] {
          parameters.fixed(number)
        }
      }
    }
  }

  private static func redirection(in action: Attribute) -> UInt32? {
    let attributes = action.attributes
    guard attributes[ActionNumber.kind]?.text == TrafficKindName.redirection,
      let parameters = attributes[ActionNumber.options]?
        .attributes[ActionNumber.redirectParameters],
      parameters.integer(at: 20) == ActionNumber.redirectToSending
    else { return nil }
    return parameters.integer(at: 24)
  }
}

extension PacketWord {
  /// `struct tc_u32_sel` and its keys.
  static func write(_ words: [PacketWord], to writer: inout AttributeWriter) {
    // flags, offshift, nkeys, padding
    for byte in [WordFilterAttribute.terminal, 0, UInt8(words.count), 0] { writer.fixed(byte) }
    // offmask, off, offoff, hoff, hmask: for headers of variable length, of which there are none
    for _ in 0..<3 { writer.fixed(UInt32(0)) }
    for word in words {
      writer.fixed(word.mask.bigEndian)
      writer.fixed(word.value.bigEndian)
      writer.fixed(word.offset)
      writer.fixed(Int32(0))
    }
  }

  static func words(reading selector: Attribute) -> [PacketWord]? {
    guard let count: UInt8 = selector.integer(at: 2) else { return nil }
    var words: [PacketWord] = []
    for place in 0..<Int(count) {
      let start = 16 + place * 16
      guard let mask: UInt32 = selector.integer(at: start),
        let value: UInt32 = selector.integer(at: start + 4),
        let offset: Int32 = selector.integer(at: start + 8)
      else { return nil }
      words.append(
        PacketWord(mask: UInt32(bigEndian: mask), value: UInt32(bigEndian: value), offset: offset))
    }
    return words
  }
}
