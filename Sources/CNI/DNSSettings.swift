public import JSON

/// How a container shall resolve names.
///
/// A list that is present but empty differs from one that is absent: a configuration says with it
/// that there shall be none.
public struct DNSSettings: Hashable, Sendable {
  /// Addresses of name servers, in order of preference.
  public var nameservers: [String]?
  /// The local domain for short names.
  public var domain: String?
  /// Domains to search for short names, in order.
  public var search: [String]?
  /// Options for the resolver.
  public var options: [String]?
  /// Members that the specification does not know, passed on as they are.
  public var otherMembers: [JSONMember] = []

  /// Settings; what is left out is absent.
  public init(
    nameservers: [String]? = nil, domain: String? = nil, search: [String]? = nil,
    options: [String]? = nil
  ) {
    self.nameservers = nameservers
    self.domain = domain
    self.search = search
    self.options = options
  }

  /// Whether nothing is set.
  public var isEmpty: Bool {
    (nameservers ?? []).isEmpty && (domain ?? "").isEmpty && (search ?? []).isEmpty
      && (options ?? []).isEmpty && otherMembers.isEmpty
  }
}

extension DNSSettings {
  /// Reads the object under `dns`.
  ///
  /// - Throws: `JSONFieldError` for a value of the wrong kind.
  public init(_ fields: JSONFields) throws(JSONFieldError) {
    nameservers = try fields.texts("nameservers")
    domain = try fields.text("domain")
    search = try fields.texts("search")
    options = try fields.texts("options")
    otherMembers = fields.members(except: ["nameservers", "domain", "search", "options"])
  }

  /// The object under `dns`; empty settings are left out.
  public var document: JSONObject {
    var document = JSONObject()
    document.set("nameservers", nameservers)
    document.set("domain", domain)
    document.set("search", search)
    document.set("options", options)
    document.members += otherMembers
    return document
  }
}
