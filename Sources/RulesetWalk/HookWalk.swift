internal import Addressing
public import Nftables

/// All chains at one place of a packet's way, asked in the kernel's order.
public struct HookWalk {
  private let ruleset: Ruleset
  private let sets: SetDirectory
  private let facts: WalkFacts

  /// Takes the rules and what they may ask about.
  public init(_ ruleset: Ruleset, _ facts: WalkFacts) {
    self.ruleset = ruleset
    sets = SetDirectory(ruleset)
    self.facts = facts
  }

  /// Whose chains are asked.
  public enum Layer: Sendable {
    /// Those for IP packets.
    case packets
    /// Those for frames that pass a bridge.
    case frames
  }

  /// Sends a packet through a place; the ways it may end there, with their shares.
  ///
  /// The connection of an IP packet is looked up on the way, after the chains of priority raw. Of
  /// the chains that translate, the first that does so is the last that is asked.
  public func pass(
    _ packet: Packet, through place: Hook.Place, _ layer: Layer = .packets
  ) -> [Passage] {
    var live = [Passage(share: .all, packet: packet, ending: .passes, events: [], doubts: [])]
    var ended: [Passage] = []
    let stations = stations(at: place, for: packet, layer)
    for station in stations {
      var next: [Passage] = []
      for passage in live {
        for way in self.pass(passage, station, place) {
          if way.ending == .passes { next.append(way) } else { ended.append(way) }
        }
      }
      live = merged(next)
    }
    return live + ended
  }

  /// What a packet meets at a place, in order.
  private enum Station {
    /// The connection is looked up.
    case connection
    case filter(Ruleset.Chain)
    /// All chains that translate.
    case translation([Ruleset.Chain])
  }

  private func stations(
    at place: Hook.Place, for packet: Packet, _ layer: Layer
  ) -> [Station] {
    // Of chains with equal priorities the one that came last is asked first.
    let here = ruleset.chains.reversed().filter { chain in
      chain.hook?.place == place && layer.families(packet).contains(chain.table.family)
    }
    var stations = here.filter { $0.hook?.kind != "nat" }
      .map { (priority: $0.hook?.priority ?? 0, station: Station.filter($0)) }
    let translating = here.filter { $0.hook?.kind == "nat" }
      .stablySorted { ($0.hook?.priority ?? 0) < ($1.hook?.priority ?? 0) }
    if layer == .packets {
      switch place {
      case .prerouting, .output:
        stations.insert((-200, .connection), at: 0)
        // What one has sent to oneself has been translated on its way out, or never will be.
        if packet.connection != nil { break }
        // Whatever their priorities say, they are asked at this one of the kernel's own.
        stations.append((Hook.Priority.destinationNAT.value, .translation(translating)))
      case .input, .postrouting:
        stations.append((Hook.Priority.sourceNAT.value, .translation(translating)))
      case .forward: break
      }
    }
    return stations.stablySorted { $0.priority < $1.priority }.map(\.station)
  }

  private func pass(
    _ passage: Passage, _ station: Station, _ place: Hook.Place
  ) -> [Passage] {
    switch station {
    case .connection:
      var passage = passage
      if !passage.packet.isUntracked, passage.packet.connection == nil {
        passage.packet.connection = PacketConnection(of: passage.packet)
      }
      return [passage]
    case .filter(let chain):
      return walk(place).enter(chain, passage)
    case .translation(let chains):
      guard passage.packet.connection != nil else { return [passage] }
      var live = [passage]
      var settled: [Passage] = []
      for chain in chains {
        live = live.flatMap { before in
          walk(place).enter(chain, before).filter { after in
            let translates =
              after.events.count > before.events.count
              && after.packet.connection != before.packet.connection
            if after.ending == .passes, !translates { return true }
            settled.append(after)
            return false
          }
        }
      }
      return live + settled
    }
  }

  private func walk(_ place: Hook.Place) -> ChainWalk {
    ChainWalk(ruleset: ruleset, sets: sets, facts: facts, place: place)
  }

  /// Puts ways together that differ in their shares alone.
  private func merged(_ passages: [Passage]) -> [Passage] {
    var merged: [Passage] = []
    for passage in passages {
      let twin = merged.firstIndex {
        $0.packet == passage.packet && $0.events == passage.events && $0.doubts == passage.doubts
      }
      if let twin {
        merged[twin].share = merged[twin].share + passage.share
      } else {
        merged.append(passage)
      }
    }
    return merged
  }
}

extension HookWalk.Layer {
  fileprivate func families(_ packet: Packet) -> [Table.Family] {
    switch self {
    case .packets: [.inet, packet.family == .v4 ? .ipv4 : .ipv6]
    case .frames: [.bridge]
    }
  }
}

extension Array {
  /// Sorted, what is equal in the order it had.
  fileprivate func stablySorted(_ precedes: (Element, Element) -> Bool) -> [Element] {
    enumerated().sorted { left, right in
      if precedes(left.element, right.element) { return true }
      if precedes(right.element, left.element) { return false }
      return left.offset < right.offset
    }.map(\.element)
  }
}
