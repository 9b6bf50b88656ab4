public import Addressing

/// How a node stands among others, as far as an ADD can tell without being slower for it.
public struct NodeOutlook: Hashable, Sendable {
  /// By which links its own connections to the world leave, and from which addresses; any text that
  /// changes when they do.
  public var exits: String
  /// The ranges of services that it knows no way to.
  public var unreachable: [Subnet]

  /// Describes what has been seen.
  public init(exits: String, unreachable: [Subnet]) {
    self.exits = exits
    self.unreachable = unreachable
  }
}

/// What the store was made from: another outlook or other files, and it has to be made again.
struct StoreStamp: Hashable {
  /// How the node stood among others.
  var exits: String
  /// The ranges that services have their addresses from.
  var ranges: [Subnet]
  /// How the files were.
  var files: String

  init(exits: String, ranges: [Subnet], files: String) {
    self.exits = exits
    self.ranges = ranges
    self.files = files
  }

  /// Reads what ``text`` has written; nil if it is nothing of the kind.
  init?(_ text: String) {
    let parts = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    exits = String(parts[0])
    ranges = []
    for range in parts[1].split(separator: " ") {
      do throws(AddressParseError) {
        ranges.append(try Subnet(String(range)))
      } catch {
        return nil
      }
    }
    files = String(parts[2])
  }

  /// A line for the outlook, one for the ranges, then the files.
  var text: String {
    "\(exits)\n\(ranges.map(\.description).joined(separator: " "))\n\(files)"
  }
}
