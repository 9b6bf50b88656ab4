public import JSON

/// Makes inputs that are nearly right out of right ones.
///
/// A document is changed as the tree it is, so that most of it still gets through the first reader,
/// and now and then as mere bytes. All of it follows from the seed.
public struct Mutator {
  /// Where the chances come from.
  public var random: SeededRandom

  /// The changes of a seed.
  public init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A changed document in bytes, sometimes no document any more.
  ///
  /// - Parameters:
  ///   - value: a good one.
  ///   - others: good ones to take parts from.
  /// - Returns: its text.
  public mutating func document(_ value: JSONValue, partsOf others: [JSONValue] = []) -> [UInt8] {
    var value = value
    for _ in 0..<random.pick([0, 1, 1, 1, 2, 3, 5]) { value = changed(value, others, depth: 0) }
    let text = JSONWriter.write(value)
    return random.chance(20) ? bytes(text) : text
  }

  /// Changed bytes.
  ///
  /// - Parameters:
  ///   - good: good ones.
  ///   - pieces: what may be put in or over.
  /// - Returns: the changed ones.
  public mutating func bytes(_ good: [UInt8], pieces: [[UInt8]]? = nil) -> [UInt8] {
    var bytes = good
    for _ in 0..<random.pick([1, 1, 2, 4]) {
      let place = random.number(below: bytes.count + 1)
      switch random.number(below: 9) {
      case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.number(below: 8))
      case 1 where place < bytes.count: bytes[place] = UInt8(random.number(below: 256))
      case 2: bytes.insert(contentsOf: random.pick(pieces ?? Interesting.pieces), at: place)
      case 3:
        let piece = random.pick(pieces ?? Interesting.pieces)
        bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
      case 4:
        bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.number(below: 8)))
      case 5: bytes.removeSubrange(place...)
      case 6:
        let part = bytes[place..<min(bytes.count, place + 1 + random.number(below: 40))]
        bytes.insert(contentsOf: part, at: random.number(below: bytes.count + 1))
      case 7 where random.chance(10):
        let opening = UInt8(ascii: random.chance(50) ? "[" : "{")
        bytes.insert(contentsOf: Array(repeating: opening, count: 200_000), at: place)
      case 8 where random.chance(10):
        bytes.insert(contentsOf: Array(repeating: UInt8(ascii: "a"), count: 70_000), at: place)
      default: bytes.append(UInt8(random.number(below: 256)))
      }
    }
    return bytes
  }

  /// A changed text.
  public mutating func text(_ good: String) -> String {
    switch random.number(below: 6) {
    case 0, 1, 2: return random.pick(Interesting.texts)
    case 3: return good + random.pick(Interesting.texts)
    case 4: return String(repeating: good.isEmpty ? "x" : good, count: random.pick([2, 20, 300]))
    default:
      return String(
        decoding: bytes(Array(good.utf8)).filter { $0 != 0 }.prefix(4096), as: UTF8.self)
    }
  }

  // MARK: Trees

  private mutating func changed(
    _ value: JSONValue, _ others: [JSONValue], depth: Int
  ) -> JSONValue {
    if depth < 20, random.chance(85) {
      switch value {
      case .object(let object) where !object.isEmpty:
        return .object(changed(object, others, depth: depth + 1))
      case .array(let list) where !list.isEmpty:
        return .array(changed(list, others, depth: depth + 1))
      default: break
      }
    }
    return leaf(value, others)
  }

  private mutating func changed(
    _ object: JSONObject, _ others: [JSONValue], depth: Int
  ) -> JSONObject {
    var object = object
    let place = random.number(below: object.members.count)
    let member = object.members[place]
    switch random.number(below: 20) {
    case 0: object.members.remove(at: place)
    case 1: object.members.append(JSONMember(member.key, leaf(member.value, others)))
    case 2: object.members[place].key = random.pick(Interesting.keys)
    case 3: object.members[place].key = member.key.uppercased()
    case 4: object.members.append(JSONMember(random.pick(Interesting.keys), any(others)))
    case 5: object.members[place].value = random.pick(object.members).value
    default: object.members[place].value = changed(member.value, others, depth: depth)
    }
    return object
  }

  private mutating func changed(
    _ list: [JSONValue], _ others: [JSONValue], depth: Int
  ) -> [JSONValue] {
    var list = list
    let place = random.number(below: list.count)
    switch random.number(below: 10) {
    case 0: list.remove(at: place)
    case 1: list.append(list[place])
    case 2: list.append(changed(list[place], others, depth: depth))
    case 3 where random.chance(30): list = Array(repeating: list[place], count: 300)
    default: list[place] = changed(list[place], others, depth: depth)
    }
    return list
  }

  private mutating func leaf(_ value: JSONValue, _ others: [JSONValue]) -> JSONValue {
    if random.chance(30) { return any(others) }
    switch value {
    case .null: return any(others)
    case .bool(let flag): return .bool(!flag)
    case .number: return .number(random.pick(Interesting.numbers))
    case .string(let good): return .string(text(good))
    case .array(let list): return .array(list.reversed())
    case .object: return random.chance(50) ? [:] : any(others)
    }
  }

  private mutating func any(_ others: [JSONValue]) -> JSONValue {
    switch random.number(below: 10) {
    case 0: .null
    case 1: .bool(random.chance(50))
    case 2, 3: .number(random.pick(Interesting.numbers))
    case 4, 5: .string(random.pick(Interesting.texts))
    case 6: []
    case 7: [:]
    case 8:
      .array([.string(random.pick(Interesting.texts)), .number(random.pick(Interesting.numbers))])
    default: others.isEmpty ? [:] : random.pick(others)
    }
  }
}
