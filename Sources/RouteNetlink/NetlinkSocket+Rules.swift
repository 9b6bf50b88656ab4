public import Addressing
public import Netlink

extension Message {
  /// Adds a rule.
  ///
  /// Refused with `EEXIST` if there is the same.
  ///
  /// Kernel name: `RTM_NEWRULE`.
  public static func addRule(_ rule: RuleEntry) -> Message {
    Message(
      RequestType.newRule, flags: [.create, .exclusive],
      operation: "add \(rule.family) rule for table \(rule.table.rawValue)"
    ) { writer in
      rule.write(to: &writer)
    }
  }

  /// Deletes the first rule that has all that this one says.
  ///
  /// Refused with `ENOENT` if there is none.
  ///
  /// Kernel name: `RTM_DELRULE`.
  public static func deleteRule(_ rule: RuleEntry) -> Message {
    Message(
      RequestType.deleteRule,
      operation: "delete \(rule.family) rule for table \(rule.table.rawValue)"
    ) { writer in
      rule.write(to: &writer)
    }
  }

  /// Lists the rules of a family.
  public static func rules(_ family: IPFamily) -> Message {
    Message(RequestType.getRule, answer: .listing, operation: "list \(family) rules") { writer in
      RouteHeader(family: family.number).write(to: &writer)
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Adds a rule.
  ///
  /// - Throws: ``NetlinkError``; `isAlreadyThere` if there is the same.
  public borrowing func addRule(_ rule: RuleEntry) throws(NetlinkError) {
    try exchange(.addRule(rule))
  }

  /// Deletes the first rule that has all that this one says.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func deleteRule(_ rule: RuleEntry) throws(NetlinkError) {
    try exchange(.deleteRule(rule))
  }

  /// Lists the rules of a family that look in a table.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func rules(_ family: IPFamily) throws(NetlinkError) -> [RuleEntry] {
    try exchange(.rules(family)).compactMap { RuleEntry($0) }.filter { $0.family == family }
  }
}
