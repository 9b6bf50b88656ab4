internal import CNI
internal import JSON

/// The keys of a list that stand around its plugins.
struct NetworkListHeader {
  let name: NetworkName
  let version: SpecVersion
  let versionText: String
  let disablesCheck: Bool
  let disablesGarbageCollection: Bool
  let loadsOnlyInlinePlugins: Bool

  init(_ document: JSONObject) throws(ProtocolError) {
    guard let name = document.present("name") else { throw .badList("no name") }
    guard let text = name.textValue else { throw .badList("invalid name type \(name.kindName)") }
    self.name = try NetworkName(text)
    (version, versionText) = try NetworkListHeader.version(of: document)
    disablesCheck = try document.flag("disableCheck")
    disablesGarbageCollection = try document.flag("disableGC")
    loadsOnlyInlinePlugins = try document.flag("loadOnlyInlinedPlugins")
  }

  /// The elements of `plugins`; `nil` where the key may be and is absent.
  func inlinePlugins(of document: JSONObject) throws(ProtocolError) -> [JSONValue]? {
    guard let value = document.present("plugins") else {
      guard loadsOnlyInlinePlugins else { return nil }
      throw .badList("`loadOnlyInlinedPlugins` is true, and no 'plugins' key")
    }
    guard let plugins = value.listValue else {
      throw .badList("invalid 'plugins' type \(value.kindName)")
    }
    guard !plugins.isEmpty else { throw .badList("no plugins in list") }
    return plugins
  }

  /// The highest version offered that is spoken here; if there is none, `cniVersion` as it is.
  private static func version(
    of document: JSONObject
  ) throws(ProtocolError) -> (SpecVersion, String) {
    var offers: [String] = []
    if let value = document.present("cniVersions") {
      guard let entries = value.listValue else {
        throw .badList("invalid type for cniVersions: \(value.kindName)")
      }
      for (place, entry) in entries.enumerated() {
        guard let text = entry.textValue else {
          throw .badList(
            "invalid cniVersions entry \(JSONWriter.text(entry)) at index \(place)")
        }
        offers.append(text)
      }
    }
    var plain = ""
    if let value = document.present("cniVersion") {
      guard let text = value.textValue else {
        throw .badList("invalid cniVersion type \(value.kindName)")
      }
      plain = text
      offers.append(text)
    }
    var best: (SpecVersion, String)?
    for offer in offers {
      let version = try SpecVersion(offer)
      if version <= .newest, best.map({ $0.0 < version }) ?? true { best = (version, offer) }
    }
    if let best { return best }
    return (try SpecVersion(plain), plain)
  }
}

extension JSONObject {
  /// The value of a key; `null` counts as absent.
  fileprivate func present(_ key: String) -> JSONValue? {
    let value = self[key]
    return value == .null ? nil : value
  }

  /// A flag that may also be written as text.
  fileprivate func flag(_ key: String) throws(ProtocolError) -> Bool {
    guard let value = present(key) else { return false }
    if let flag = value.booleanValue { return flag }
    guard let text = value.textValue else {
      throw .badList("invalid type \(value.kindName) for \(key)")
    }
    switch text.lowercased() {
    case "true": return true
    case "false": return false
    default: throw .badList("invalid value \(text.inQuotes) for \(key)")
    }
  }
}

extension JSONValue {
  /// What kind of value it is, in one word.
  fileprivate var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .number: "number"
    case .string: "string"
    case .array: "list"
    case .object: "object"
    }
  }
}

extension ProtocolError {
  /// A list that makes no sense, in upstream's words.
  static func badList(_ reason: String) -> ProtocolError {
    ProtocolError(.invalidConfiguration, "error parsing configuration list: \(reason)")
  }
}
