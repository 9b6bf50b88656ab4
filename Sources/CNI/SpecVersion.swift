// swift-format-ignore-file: AlwaysUseLowerCamelCase

/// A version of the CNI specification.
public struct SpecVersion: Hashable, Sendable {
  /// The number before the first dot.
  public let major: Int
  /// The number between the dots.
  public let minor: Int
  /// The number after the second dot.
  public let micro: Int

  /// A version of three numbers.
  public init(_ major: Int, _ minor: Int, _ micro: Int) {
    self.major = major
    self.minor = minor
    self.micro = micro
  }

  /// Reads one to three numbers parted by dots; missing ones are 0, and no text at all is 0.1.0.
  ///
  /// - Throws: ``ProtocolError`` of code 6.
  public init(_ text: String) throws(ProtocolError) {
    guard !text.isEmpty else {
      self = .v0_1_0
      return
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 3 else {
      throw ProtocolError(
        .decodingFailure, "invalid version \(text.inQuotes): too many parts")
    }
    var numbers: [Int] = []
    for part in parts {
      guard let number = Int(part), number >= 0, part.utf8.first != UInt8(ascii: "+") else {
        throw ProtocolError(
          .decodingFailure,
          "invalid version \(text.inQuotes): failed to convert part \(String(part).inQuotes)")
      }
      numbers.append(number)
    }
    self.init(numbers[0], numbers.count > 1 ? numbers[1] : 0, numbers.count > 2 ? numbers[2] : 0)
  }

  /// The first version, and what a configuration without a version means.
  public static let v0_1_0 = SpecVersion(0, 1, 0)
  /// The version that brought VERSION.
  public static let v0_2_0 = SpecVersion(0, 2, 0)
  /// The version that brought interfaces in results, and chained plugins.
  public static let v0_3_0 = SpecVersion(0, 3, 0)
  /// A correction of 0.3.0.
  public static let v0_3_1 = SpecVersion(0, 3, 1)
  /// The version that brought CHECK, and the previous result on DEL.
  public static let v0_4_0 = SpecVersion(0, 4, 0)
  /// The version in which addresses lost their `version` key.
  public static let v1_0_0 = SpecVersion(1, 0, 0)
  /// The version that brought STATUS and GC.
  public static let v1_1_0 = SpecVersion(1, 1, 0)

  /// The newest version spoken here.
  public static let newest = v1_1_0

  /// Every version spoken here, the oldest first.
  public static let all = [v0_1_0, v0_2_0, v0_3_0, v0_3_1, v0_4_0, v1_0_0, v1_1_0]
}

extension SpecVersion: Comparable {
  /// Whether one version came before another.
  public static func < (one: SpecVersion, other: SpecVersion) -> Bool {
    (one.major, one.minor, one.micro) < (other.major, other.minor, other.micro)
  }
}

extension SpecVersion: CustomStringConvertible {
  /// The three numbers with dots, as in `1.1.0`.
  public var description: String { "\(major).\(minor).\(micro)" }
}
