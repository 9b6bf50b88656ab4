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
}
