internal import Nftables

/// What a search in a set or map has found.
enum SetFinding {
  case found(Ruleset.Element)
  case missing
  /// It depends on bytes that are not known.
  case uncertain
}

/// The sets of a ruleset; keys of those without ranges are found at once, however many there are.
///
/// A class, because it remembers what it has put in order.
final class SetDirectory {
  private let ruleset: Ruleset
  private var known: [Table: [String: OrderedSet]] = [:]

  private struct OrderedSet {
    let set: Ruleset.Set
    let keys: [[UInt8]: Int]
  }

  init(_ ruleset: Ruleset) {
    self.ruleset = ruleset
  }

  /// Looks for what a rule has put side by side; nil if there is no such set.
  ///
  /// - Parameters:
  ///   - name: the set's name.
  ///   - table: the table it stands in.
  ///   - load: gives so many bytes of what is looked for.
  /// - Returns: what is found.
  func search(
    _ name: String, in table: Table, _ load: (Int) -> PartlyKnown
  ) -> SetFinding? {
    guard let ordered = ordered(name, in: table) else { return nil }
    guard let length = ordered.set.keyLength else {
      return ordered.set.elements.first.map(SetFinding.found) ?? .missing
    }
    let key = load(length)
    if !ordered.set.hasRanges, let bytes = key.known, let place = ordered.keys[bytes] {
      return .found(ordered.set.elements[place])
    }
    if !ordered.set.hasRanges, key.known != nil {
      return ordered.set.elements.first { $0.key == nil }.map(SetFinding.found) ?? .missing
    }
    return ordered.set.search(key)
  }

  private func ordered(_ name: String, in table: Table) -> OrderedSet? {
    if let known = known[table]?[name] { return known }
    guard let set = ruleset.set(name, in: table) else { return nil }
    var keys: [[UInt8]: Int] = [:]
    if !set.hasRanges {
      for (place, element) in set.elements.enumerated() {
        if let key = element.key { keys[key] = place }
      }
    }
    let ordered = OrderedSet(set: set, keys: keys)
    known[table, default: [:]][name] = ordered
    return ordered
  }
}

extension Ruleset.Set {
  /// How many bytes its keys have; nil if it has no elements.
  var keyLength: Int? { elements.lazy.compactMap { $0.key?.count }.first }

  /// Looks for what a rule has put side by side.
  func search(_ key: PartlyKnown) -> SetFinding {
    let all = elements.first { $0.key == nil }
    let finding =
      if !hasRanges { searchKeys(key) } else if partLengths.count > 1 { searchParts(key) } else {
        searchRanges(key)
      }
    if case .missing = finding, let all { return .found(all) }
    return finding
  }

  private func searchKeys(_ key: PartlyKnown) -> SetFinding {
    var isUncertain = false
    for element in elements {
      guard let own = element.key else { continue }
      switch key.equals(own) {
      case true?: return .found(element)
      case nil: isUncertain = true
      case false?: break
      }
    }
    return isUncertain ? .uncertain : .missing
  }

  /// Each part of the key lies between two of the element's.
  private func searchParts(_ key: PartlyKnown) -> SetFinding {
    var isUncertain = false
    for element in elements {
      guard let first = element.key else { continue }
      switch lies(key, between: first, and: element.last ?? first) {
      case true?: return .found(element)
      case nil: isUncertain = true
      case false?: break
      }
    }
    return isUncertain ? .uncertain : .missing
  }

  private func lies(_ key: PartlyKnown, between first: [UInt8], and last: [UInt8]) -> Bool? {
    var start = 0
    var isSure = true
    for length in partLengths {
      let end = min(start + length, first.count, last.count, key.count)
      guard start <= end else { return nil }
      guard let part = Array(key[start..<end]).known else {
        isSure = false
        start += (length + 3) & ~3
        continue
      }
      if part.lexicographicallyPrecedes(first[start..<end])
        || last[start..<end].lexicographicallyPrecedes(part)
      {
        return false
      }
      start += (length + 3) & ~3
    }
    return isSure ? true : nil
  }

  /// The last bound that is not behind the key decides: it begins a range, or ends one.
  private func searchRanges(_ key: PartlyKnown) -> SetFinding {
    guard elements.contains(where: { $0.key != nil && !$0.isBehindRange }) else { return .missing }
    guard let key = key.known else { return .uncertain }
    var best: Ruleset.Element?
    for element in elements {
      guard let own = element.key, !key.lexicographicallyPrecedes(own) else { continue }
      guard let bestKey = best?.key, let isBehind = best?.isBehindRange else {
        best = element
        continue
      }
      // Where a range ends and another begins at the same key, the beginning counts.
      if bestKey.lexicographicallyPrecedes(own) || (bestKey == own && isBehind) { best = element }
    }
    guard let best, !best.isBehindRange else { return .missing }
    return .found(best)
  }
}
