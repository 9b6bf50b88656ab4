public import Linux

/// Whether the kernel's legacy tables are in use, asked without making them.
///
/// The program itself would make a table by listing it.
public enum LegacyTables {
  /// Whether a table of a family exists in the thread's network namespace.
  ///
  /// Kernel name: `/proc/net/ip_tables_names`.
  ///
  /// - Throws: `SystemError` if the kernel's list cannot be read.
  public static func has(_ table: String, _ family: IptablesProgram.Family) throws(SystemError)
    -> Bool
  {
    let list = family == .v4 ? "ip_tables_names" : "ip6_tables_names"
    guard let bytes = try File.readIfPresent("/proc/thread-self/net/\(list)", limit: 1 << 16) else {
      return false
    }
    return bytes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(table.utf8) }
  }

  /// Whether a chain of this name stands in a table, or a rule that leads there.
  ///
  /// Costs no process and waits for no lock.
  ///
  /// - Throws: `SystemError` if the kernel's tables cannot be read.
  public static func has(
    chain: String, in table: String, _ family: IptablesProgram.Family
  ) throws(SystemError) -> Bool {
    try mentions(Array(chain.utf8), in: table, family)
  }

  /// Whether the filter table drops what none of its rules for forwarded packets accepts.
  ///
  /// - Throws: `SystemError` if the kernel's tables cannot be read.
  public static func dropsForwarded(_ family: IptablesProgram.Family) throws(SystemError) -> Bool {
    guard try has("filter", family) else { return false }
    return try LegacyTable.dropsForwarded("filter", isIPv6: family == .v6)
  }

  /// Whether these bytes stand somewhere in a table: a name, an address, a word of a comment.
  ///
  /// They may mean something else; so this tells where to look more closely. Costs no process and
  /// waits for no lock.
  ///
  /// - Throws: `SystemError` if the kernel's tables cannot be read.
  public static func mentions(
    _ bytes: [UInt8], in table: String, _ family: IptablesProgram.Family
  ) throws(SystemError) -> Bool {
    guard try has(table, family) else { return false }
    return try LegacyTable.contents(of: table, isIPv6: family == .v6).holds(bytes)
  }
}
