internal import Addressing
public import CNI
public import JSON

/// What is remembered of an ADD: how it was asked, and what came of it.
///
/// Upstream name: `cachedInfo`, kind `cniCacheV1`.
public struct CachedAttachment: Hashable, Sendable {
  /// The network it is on.
  public let network: NetworkName
  /// How it was asked for.
  public let arguments: AttachmentArguments
  /// The text of the list that was in force.
  public let source: [UInt8]
  /// The result as the last plugin of the chain printed it; `nil` when there was none.
  public let result: JSONObject?

  /// What is to be remembered.
  public init(
    network: NetworkName, arguments: AttachmentArguments, source: [UInt8], result: JSONObject?
  ) {
    self.network = network
    self.arguments = arguments
    self.source = source
    self.result = result
  }

  /// The attachment it is about.
  public var attachment: Attachment { arguments.attachment(to: network) }

  /// The path of the container's namespace, as far as it is remembered; empty if it is not.
  ///
  /// Upstream's library does not remember it before 1.2, but plugins tell it in their result.
  public var namespacePath: String {
    if !arguments.namespacePath.isEmpty { return arguments.namespacePath }
    let interfaces = result?["interfaces"]?.listValue ?? []
    return interfaces.compactMap { $0.objectValue?["sandbox"]?.textValue }
      .first { !$0.isEmpty } ?? ""
  }

  /// The interfaces, addresses and routes it was given.
  ///
  /// - Throws: ``ProtocolError`` for a result that cannot be read.
  public func readResult() throws(ProtocolError) -> PluginResult? {
    guard let result else { return nil }
    return try PluginResult(printed: result, orElse: .v0_1_0)
  }
}

extension CachedAttachment {
  private static let kind = "cniCacheV1"

  /// Reads a file of the cache.
  ///
  /// It is `nil` for the form before 1.0 of upstream's library, the bare result, which does not
  /// say whose it is.
  ///
  /// - Parameter bytes: its text.
  /// - Throws: ``ProtocolError`` for what is not such a file.
  init?(file bytes: [UInt8]) throws(ProtocolError) {
    let document = try JSONObject(document: bytes)
    guard document["kind"]?.textValue == Self.kind else { return nil }
    network = try NetworkName(document["networkName"]?.textValue ?? "")
    let interface: InterfaceName
    do throws(AddressParseError) {
      interface = try InterfaceName(document["ifName"]?.textValue ?? "")
    } catch {
      throw ProtocolError(error, key: "ifName")
    }
    guard let source = Base64.decode(document["config"]?.textValue ?? "") else {
      throw ProtocolError(.decodingFailure, "config: not base64")
    }
    self.source = source
    arguments = AttachmentArguments(
      container: try ContainerID(document["containerId"]?.textValue ?? ""),
      namespacePath: document["netns"]?.textValue ?? "",
      interface: interface,
      arguments: try CachedAttachment.pairs(document["cniArgs"]),
      capabilities: document["capabilityArgs"]?.objectValue ?? [:])
    result = document["result"]?.objectValue
  }

  /// As upstream writes it, byte for byte: members in its order, what is empty left out.
  var file: [UInt8] {
    var document: JSONObject = [
      "kind": .string(Self.kind),
      "containerId": .string(arguments.container.text),
      "config": .string(Base64.encode(source)),
      "ifName": .string(arguments.interface.text),
      "networkName": .string(network.text),
    ]
    if !arguments.namespacePath.isEmpty { document["netns"] = .string(arguments.namespacePath) }
    if !arguments.arguments.isEmpty {
      document["cniArgs"] = .array(
        arguments.arguments.map { [.string($0.key), .string($0.value)] })
    }
    if !arguments.capabilities.isEmpty {
      document["capabilityArgs"] = JSONValue.object(arguments.capabilities).sorted
    }
    if let result { document["result"] = JSONValue.object(result).sorted }
    return JSONWriter.write(.object(document))
  }

  private static func pairs(
    _ value: JSONValue?
  ) throws(ProtocolError) -> [AttachmentArguments.Pair] {
    try (value?.listValue ?? []).map { entry throws(ProtocolError) in
      guard let sides = entry.listValue, sides.count == 2, let key = sides[0].textValue,
        let value = sides[1].textValue
      else { throw ProtocolError(.decodingFailure, "cniArgs: not a list of pairs") }
      return AttachmentArguments.Pair(key, value)
    }
  }
}

extension JSONValue {
  /// The value with the keys of its objects in order; upstream keeps these parts as Go maps.
  fileprivate var sorted: JSONValue {
    switch self {
    case .array(let elements): .array(elements.map(\.sorted))
    case .object(let object):
      .object(
        JSONObject(
          members: object.members.map { JSONMember($0.key, $0.value.sorted) }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }))
    default: self
    }
  }
}
