@testable import Nftables

/// Rules and elements in the words of `nft --debug=netlink`, without what is not read: rates, flags
/// of translations, seeds and the like.
struct NetlinkText {
  /// A line for each chain that has a rule, and for each step.
  var rules: [String] = []
  /// A line for each element, sorted, since sets have no order.
  var elements: [String] = []

  init(nft text: String) {
    var set = ""
    for line in text.lines.prefix(while: { !$0.hasPrefix("table ") }) {
      if line.hasPrefix("  [ ") {
        rules.append(Self.known(line.words.dropFirst().dropLast()))
      } else if line.hasPrefix("\telement ") {
        let words = line.prefix { $0 != "[" }.dropFirst().split(separator: " ").map(String.init)
        // That no range begins at zero is said for nft alone.
        if words != ["element", "00000000", ":", "1"] || set == "" {
          elements.append("\(set) \(words.joined(separator: " "))")
        }
      } else if line.words.count >= 3, line.words[2].hasPrefix("@") {
        set = line.words[2]
      } else if !line.isEmpty, line.words[0] != "userdata" {
        rules.append(line.words[2])
      }
    }
    elements.sort()
  }

  /// A step without what is not read.
  private static func known(_ words: ArraySlice<String>) -> String {
    let flags = words.firstIndex(of: "flags")
    switch words.first {
    case "counter", "log", "reject": return words.first ?? ""
    case "limit", "connlimit":
      return "limit \(flags.map { words[$0 + 1].hasSuffix("1") } ?? false)"
    case "masq", "redir":
      return words.prefix { $0 != "proto_max" && $0 != "flags" }.joined(separator: " ")
    case "nat":
      return words.filter { $0 != "ip" && $0 != "ip6" }.prefix { $0 != "flags" }
        .joined(separator: " ")
    case "numgen":
      return words.filter { $0 != "random" && $0 != "inc" }.joined(separator: " ")
    case "hash":
      return words.filter { !$0.hasPrefix("0x") }.joined(separator: " ")
    case "dynset":
      let set = words.firstIndex(of: "set").map { words[$0 + 1] } ?? "?"
      let inner = words.firstIndex(of: "[").map { known(words[($0 + 1)...].dropLast()) }
      return (["dynset", set] + (inner.map { [$0] } ?? [])).joined(separator: " ")
    case "exthdr": return words.contains("write") ? "exthdr set" : "exthdr load"
    case "payload" where words.contains("write"): return "payload set"
    default: return words.joined(separator: " ")
    }
  }

  init(of ruleset: Ruleset) {
    for chain in ruleset.chains {
      for rule in chain.rules {
        rules.append(chain.name)
        rules += rule.steps.map(Self.text)
      }
    }
    for set in ruleset.sets {
      for element in set.elements
      where !(element.isBehindRange && element.key == [0, 0, 0, 0])
        && !(element.isBehindRange && element.key == [0, 0])
      {
        var words = ["@\(set.name)", "element", Self.words(element.key ?? [], prefix: "")]
        if let last = element.last { words += ["-", Self.words(last, prefix: "")] }
        words.append(":")
        switch element.value {
        case .verdict(let verdict): words.append(Self.text(verdict))
        case .data(let data): words.append(Self.words(data.bytes, prefix: ""))
        case nil: break
        }
        words.append(element.isBehindRange ? "1" : "0")
        elements.append(words.joined(separator: " "))
      }
    }
    elements.sort()
  }

  /// As nft prints bytes: numbers of the host, four bytes each.
  private static func words(_ bytes: [UInt8], prefix: String = "0x") -> String {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      let part = bytes[start..<min(start + 4, bytes.count)]
      let number = part.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let digits = String(number, radix: 16)
      return prefix + String(repeating: "0", count: 8 - digits.count) + digits
    }.joined(separator: " ")
  }

  private static func text(_ verdict: Verdict) -> String {
    switch verdict {
    case .accept: "accept"
    case .drop: "drop"
    case .return: "return"
    case .jump(let chain): "jump -> \(chain)"
    case .goto(let chain): "goto -> \(chain)"
    }
  }

  private static func text(_ step: RuleStep) -> String {
    switch step {
    case .payload(let header, let offset, let length, let target):
      "payload load \(length)b @ \(header) header + \(offset) => reg \(target.number)"
    case .meta(let fact, let target): "meta load \(name(fact)) => reg \(target.number)"
    case .setMeta(let fact, let source): "meta set \(name(fact)) with reg \(source.number)"
    case .connection(let fact, let direction, let target):
      "ct load \(name(fact)) => reg \(target.number)"
        + (direction.map { " , dir \($0)" } ?? "")
    case .setConnection(let fact, let source): "ct set \(name(fact)) with reg \(source.number)"
    case .route(let question, let target): "fib \(text(question)) => reg \(target.number)"
    case .draw(let range, let target): "numgen reg \(target.number) = \(text(range))"
    case .hash(let source?, let length, let range, let target):
      "hash reg \(target.number) = jhash(reg \(source.number), \(length), % \(text(range))"
    case .hash(nil, _, let range, let target):
      "hash reg \(target.number) = symhash() % \(text(range))"
    case .constant(let bytes, let target): "immediate reg \(target.number) \(words(bytes))"
    case .masked(let source, let target, let mask, let other):
      "bitwise reg \(target.number) = ( reg \(source.number) & \(words(mask)) ) ^ \(words(other))"
    case .reordered(let source, let target, let length, let size):
      "byteorder reg \(target.number) = hton(reg \(source.number), \(size), \(length))"
    case .compare(let source, let comparison, let bytes):
      "cmp \(name(comparison)) reg \(source.number) \(words(bytes))"
    case .range(let source, let isInverted, let first, let last):
      "range \(isInverted ? "neq" : "eq") reg \(source.number) \(words(first)) \(words(last))"
    case .lookup(let source, let set, let isInverted):
      "lookup reg \(source.number) set \(set) \(isInverted ? "0x1" : "0x0")"
    case .verdictLookup(let source, let set):
      "lookup reg \(source.number) set \(set) dreg 0 0x0"
    case .dataLookup(let source, let set, let target):
      "lookup reg \(source.number) set \(set) dreg \(target.number) 0x0"
    case .update(let update):
      (["dynset", update.set] + update.steps.map(text)).joined(separator: " ")
    case .limit(let isBeyond): "limit \(isBeyond)"
    case .verdict(let verdict): "immediate reg 0 \(text(verdict))"
    case .translate(let translation): text(translation)
    case .masquerade(let port): "masq" + (port.map { " proto_min reg \($0.number)" } ?? "")
    case .redirect(let port): "redir" + (port.map { " proto_min reg \($0.number)" } ?? "")
    case .reject: "reject"
    case .queue: "queue"
    case .untracked: "notrack"
    case .passes(let name): name
    case .unknownLoad(let name, _): "\(name) load"
    case .foreignMatch(let part), .foreignTarget(let part): "foreign \(part.name)"
    case .unknown(let name): "unknown \(name)"
    }
  }

  private static func text(_ range: Expression.NumberRange) -> String {
    "mod \(range.count)" + (range.first == 0 ? "" : " offset \(range.first)")
  }

  private static func text(_ translation: RuleStep.Translation) -> String {
    var words = ["nat", translation.isSource ? "snat" : "dnat"]
    // Which family's addresses they are follows from the packet and is not read.
    if let addresses = translation.addresses {
      words += [
        "addr_min", "reg", "\(addresses.first.number)", "addr_max", "reg",
        "\(addresses.last.number)",
      ]
    }
    if let ports = translation.ports {
      words += [
        "proto_min", "reg", "\(ports.first.number)", "proto_max", "reg", "\(ports.last.number)",
      ]
    }
    return words.joined(separator: " ")
  }

  private static func text(_ question: RuleStep.RouteQuestion) -> String {
    var words = [question.isAboutSource ? "saddr" : "daddr"]
    if question.onlyInput { words += [".", "iif"] }
    if question.onlyOutput { words += [".", "oif"] }
    switch question.result {
    case .linkIndex: words.append("oif")
    case .linkName: words.append("oifname")
    case .addressType: words.append("type")
    }
    if question.asksPresence { words.append("present") }
    return words.joined(separator: " ")
  }

  private static func name(_ comparison: RuleStep.Comparison) -> String {
    switch comparison {
    case .equal: "eq"
    case .notEqual: "neq"
    case .less: "lt"
    case .lessOrEqual: "lte"
    case .greater: "gt"
    case .greaterOrEqual: "gte"
    }
  }

  private static func name(_ fact: MetaFact) -> String {
    switch fact {
    case .frameProtocol: "protocol"
    case .networkProtocol: "nfproto"
    case .transportProtocol: "l4proto"
    case .mark: "mark"
    case .inputIndex: "iif"
    case .outputIndex: "oif"
    case .inputName: "iifname"
    case .outputName: "oifname"
    case .inputHardware: "iiftype"
    case .outputHardware: "oiftype"
    case .inputKind: "iifkind"
    case .outputKind: "oifkind"
    case .inputBridgeName: "bri_iifname"
    case .outputBridgeName: "bri_oifname"
    case .packetType: "pkttype"
    case .traced: "nftrace"
    }
  }

  private static func name(_ fact: ConnectionFact) -> String {
    switch fact {
    case .state: "state"
    case .status: "status"
    case .direction: "direction"
    case .mark: "mark"
    case .networkProtocol: "l3protocol"
    case .transportProtocol: "protocol"
    case .source: "src"
    case .destination: "dst"
    case .sourceV4: "src_ip"
    case .destinationV4: "dst_ip"
    case .sourceV6: "src_ip6"
    case .destinationV6: "dst_ip6"
    case .sourcePort: "proto_src"
    case .destinationPort: "proto_dst"
    case .zone: "zone"
    }
  }
}
