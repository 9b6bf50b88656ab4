@testable import Conntrack
@testable import Netlink
@testable import Nftables
@testable import RouteNetlink

extension FuzzTarget {
  /// Datagrams from the kernel: messages, verdicts, attributes within attributes.
  static let netlink = FuzzTarget("netlink") { bytes in
    let requests = [Message.Answer.acknowledgement, .reply, .listing, .silence].map { answer in
      Message(1, answer: answer, operation: "") { _ in }
    }
    var collector = AnswerCollector(to: requests, firstSequence: 0, port: 0)
    collector.receive(bytes)
    collector.receive(bytes)
    guard collector.answers().count == requests.count else { return "not an answer for each" }
    walk(AttributeReader(bytes[...]), depth: 0)
    for message in Message.parse(bytes).messages {
      for skip in [0, 1, 4, 16, 1000] { walk(message.attributes(after: skip), depth: 0) }
    }
    return nil
  }

  private static func walk(_ reader: AttributeReader, depth: Int) {
    for attribute in reader {
      _ = (attribute.uint8, attribute.uint16, attribute.uint32, attribute.uint64, attribute.text)
      _ = attribute.integer(at: 3) as UInt16?
      if depth < 6 { walk(attribute.attributes, depth: depth + 1) }
    }
  }

  /// What the kernel lists: links, addresses, routes, rules, neighbours, queues, filters, flows.
  static let links = FuzzTarget("links") { bytes in
    for message in Message.parse(bytes).messages {
      _ = Link(message)
      _ = AddressEntry(message)
      _ = RouteEntry(message)
      _ = RuleEntry(message)
      _ = NeighbourEntry(message)
      _ = ForwardingEntry(message)
      _ = QueueDiscipline(message)
      _ = TrafficFilter(message)
      _ = Flow(message)
    }
    return nil
  }

  /// Elements and steps of rules, ranges put together again.
  static let nftables = FuzzTarget("nftables") { bytes in
    let table = Table(family: .inet, name: "t")
    let ranges = NamedSet("s", in: table, key: [.ipv4Address], kind: .ranges)
    for message in Message.parse(bytes).messages {
      for attribute in message.nftablesAttributes {
        steps(attribute, depth: 0)
        let listed = attribute.attributes.compactMap(ListedElement.init)
        _ = ListedElement.elements(of: ranges, in: listed)
      }
    }
    return nil
  }

  private static func steps(_ attribute: Attribute, depth: Int) {
    _ = RuleStep(attribute)
    _ = Element.Value(attribute)
    _ = attribute.elementKey
    _ = UserData.comment(in: attribute.bytes)
    if depth < 3 { for inner in attribute.attributes { steps(inner, depth: depth + 1) } }
  }
}
