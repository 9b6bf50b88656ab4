public import JSON

/// What a runtime hands to a plugin on standard input: the common keys, and the whole document.
///
/// Name and version are checked when a value is made. The other common keys are read when they are
/// asked for, so that a DEL does not fail over a value it has no use for.
public struct NetworkConfiguration: Sendable {
  /// The version of the specification that the configuration is written for.
  public let version: SpecVersion
  /// The network's name.
  public let name: NetworkName
  /// The plugin's name as the configuration gives it; empty when it gives none.
  public let type: String
  /// The document with every member as it came.
  public let document: JSONObject

  /// Takes a document that a plugin is given.
  ///
  /// - Parameters:
  ///   - document: the configuration.
  ///   - command: what is asked, since old configurations do not allow every command.
  ///   - supported: the versions that the plugin speaks.
  /// - Throws: ``ProtocolError`` of code 7 for the name, 6 for a version that is none, 1 for one
  ///   that does not fit.
  public init(
    _ document: JSONObject, for command: Command = .add,
    supporting supported: [SpecVersion] = SpecVersion.all
  ) throws(ProtocolError) {
    let fields = JSONFields(document)
    name = try NetworkName(try fields.common("name") ?? "")
    let text = try fields.common("cniVersion") ?? ""
    version = try SpecVersion.negotiated(
      text.isEmpty ? "0.1.0" : text, for: command, supporting: supported)
    type = try fields.common("type") ?? ""
    self.document = document
  }

  /// Reads the bytes that a plugin is given.
  ///
  /// - Throws: ``ProtocolError`` of code 6 for what is no JSON object, else as
  ///   ``init(_:for:supporting:)``.
  public init(
    parsing bytes: [UInt8], for command: Command = .add,
    supporting supported: [SpecVersion] = SpecVersion.all
  ) throws(ProtocolError) {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(bytes)
    } catch {
      throw ProtocolError(.decodingFailure, "error unmarshall network config: \(error)")
    }
    guard let document = value.objectValue else {
      throw ProtocolError(
        .decodingFailure, "error unmarshall network config: expected an object")
    }
    try self.init(document, for: command, supporting: supported)
  }

  /// The document, read by key.
  public var fields: JSONFields { JSONFields(document) }
}

extension NetworkConfiguration {
  /// The keys under `ipam`; `nil` without any.
  public var ipam: JSONFields? {
    get throws(ProtocolError) { try nested("ipam") }
  }

  /// The name of the plugin that manages addresses; `nil` when there is none.
  public var ipamType: String? {
    get throws(ProtocolError) {
      guard let ipam = try ipam else { return nil }
      let type = try ipam.read { fields throws(JSONFieldError) in try fields.text("type") }
      return type?.isEmpty == true ? nil : type
    }
  }

  /// The settings under `dns`; empty ones when there are none.
  public var dns: DNSSettings {
    get throws(ProtocolError) { try fields.dnsSettings() }
  }

  /// Whether there is an object under `dns`, be it empty.
  public var hasDNS: Bool { fields.value("dns") != nil }

  /// What the runtime has filled in for the capabilities of the plugin.
  public var runtimeConfig: RuntimeConfiguration {
    get throws(ProtocolError) {
      RuntimeConfiguration(try nested("runtimeConfig") ?? JSONFields([:], path: "runtimeConfig"))
    }
  }

  /// The wishes under `args.cni`; `nil` without any.
  public var arguments: JSONFields? {
    get throws(ProtocolError) {
      guard let args = try nested("args") else { return nil }
      return try args.read { fields throws(JSONFieldError) in try fields.nested("cni") }
    }
  }

  /// The attachments that GC must keep; `nil` when the runtime says nothing of them.
  ///
  /// Nothing said is not an empty list: an empty list frees all of the network, a missing one frees
  /// nothing. Early runtimes of 1.1.0 sent the list as `cni.dev/attachments`.
  public var validAttachments: [ValidAttachment]? {
    get throws(ProtocolError) {
      for key in ["cni.dev/valid-attachments", "cni.dev/attachments"]
      where fields.value(key) != nil {
        return try fields.each(key) { element throws(ProtocolError) in
          try ValidAttachment(element)
        }
      }
      return nil
    }
  }

  private func nested(_ key: String) throws(ProtocolError) -> JSONFields? {
    try fields.read { fields throws(JSONFieldError) in try fields.nested(key) }
  }
}

extension JSONFields {
  /// The text of a key without which nothing can begin; a wrong kind is an error of decoding.
  fileprivate func common(_ key: String) throws(ProtocolError) -> String? {
    do throws(JSONFieldError) {
      return try text(key)
    } catch {
      throw ProtocolError(.decodingFailure, "error unmarshall network config: \(error)")
    }
  }
}
