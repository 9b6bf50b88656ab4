import Addressing
import JSON
import Linux

@testable import CNI

extension FuzzTarget {
  /// A result that can be printed for a version is read from there and printed the same.
  static let result = FuzzTarget("result", .document) { bytes in
    guard let document = reading({ try JSONParser.parse(bytes).objectValue ?? [:] }),
      let result = reading({ try PluginResult(printed: document, orElse: .v0_1_0) })
    else { return nil }
    for version in SpecVersion.all {
      guard let printed = reading({ try result.printed(for: version) }) else { continue }
      let again = reading {
        try PluginResult(
          printed: JSONParser.parse(printed).objectValue ?? [:], orElse: version
        )
        .printed(for: version)
      }
      guard let again else { return "\(version): we do not read what we print" }
      guard again == printed else { return "\(version): printed differently the second time" }
    }
    return nil
  }

  /// `CNI_ARGS`, in every way that a plugin reads it.
  static let arguments = FuzzTarget("arguments") { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    _ = reading { try CommandArguments(text, known: ["IP", "GATEWAY", "MAC", "K8S_POD_NAME"]) }
    _ = reading { try CommandArguments(text, known: []) }
    return nil
  }

  /// Names and addresses: the text of what was read is read as the same thing.
  static let names = FuzzTarget("names") { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    let isSteady =
      same(text) { try IPAddress($0) } && same(text) { try InterfaceAddress($0) }
      && same(text) { try Subnet($0) } && same(text) { try HardwareAddress($0) }
      && same(text) { try InterfaceName($0) } && same(text) { try SpecVersion($0) }
    guard isSteady else { return "\"\(text)\" changes when it is written and read" }
    for name in [
      reading { try ContainerID(text).description }, reading { try NetworkName(text).description },
    ] {
      let isPath = name.map { $0.contains("/") || $0 == "." || $0 == ".." || $0.isEmpty } ?? false
      guard !isPath else { return "\"\(text)\" is taken, and may lead elsewhere" }
    }
    _ = PluginPath(text)
    return nil
  }

  private static func same<Value: Equatable & CustomStringConvertible>(
    _ text: String, _ read: (String) throws -> Value
  ) -> Bool {
    guard let value = reading({ try read(text) }) else { return true }
    return reading { try read(value.description) } == value
  }
}
