internal import Linux

/// One of the programs that administer the old packet filter tables.
///
/// There are four: for each family one that keeps its rules in nf_tables and one that keeps them in
/// the kernel's legacy tables. Rules of one are invisible to the other.
public struct IptablesProgram: Sendable {
  /// Whose packets its rules are for.
  public let family: Family
  /// Where it keeps its rules.
  public private(set) var variant: Variant
  private let path: String
  private let restorePath: String

  /// Whose packets rules are for.
  public enum Family: Hashable, Sendable, CaseIterable {
    case v4, v6

    /// The program's usual name.
    var name: String { self == .v4 ? "iptables" : "ip6tables" }
  }

  /// Where rules are kept.
  public enum Variant: String, Hashable, Sendable, CaseIterable {
    /// In nf_tables, in tables that have the old names.
    case nft
    /// In tables of their own.
    case legacy

    /// What the program says of itself when asked for its version.
    var sign: String { self == .nft ? "(nf_tables)" : "(legacy)" }
  }

  /// How long a program may take; it may have to wait for another that holds the tables.
  private static var timeLimit: Duration { .seconds(30) }
  /// How long it waits for another, in seconds, as its option takes it.
  private static var lockWait: String { "10" }

  /// Finds a program; nil if the system has none of this kind.
  ///
  /// A name that says its kind is taken as it is; one that does not is asked.
  ///
  /// - Parameters:
  ///   - family: whose packets.
  ///   - variant: where it keeps its rules.
  ///   - directories: where to look, in order.
  /// - Returns: the program that is found first.
  /// - Throws: ``IptablesError`` if a program cannot be asked.
  public static func find(
    _ family: Family, _ variant: Variant, in directories: [String] = standardDirectories
  ) throws(IptablesError) -> IptablesProgram? {
    for name in ["\(family.name)-\(variant.rawValue)", family.name] {
      for directory in directories {
        let path = "\(directory)/\(name)"
        guard isProgram(path), isProgram("\(path)-restore") else { continue }
        let program = IptablesProgram(
          family: family, variant: variant, path: path, restorePath: "\(path)-restore")
        if name != family.name { return program }
        let version = try program.run(path, ["--version"], input: "")
        if version.split(whereSeparator: \.isWhitespace).contains(variant.sign[...]) {
          return program
        }
      }
    }
    return nil
  }

  /// Finds the program that the host's own tools use, be it of either kind.
  ///
  /// - Parameters:
  ///   - family: whose packets.
  ///   - directories: where to look, in order.
  /// - Returns: the program that is found first; nil if the host has none.
  /// - Throws: ``IptablesError`` if the program cannot be asked of which kind it is.
  public static func usual(_ family: Family, in directories: [String] = standardDirectories)
    throws(IptablesError) -> IptablesProgram?
  {
    for directory in directories {
      let path = "\(directory)/\(family.name)"
      guard isProgram(path), isProgram("\(path)-restore") else { continue }
      var program = IptablesProgram(
        family: family, variant: .legacy, path: path, restorePath: "\(path)-restore")
      let version = try program.run(path, ["--version"], input: "")
      // Programs that were there before nf_tables do not say of which kind they are.
      if version.split(whereSeparator: \.isWhitespace).contains(Variant.nft.sign[...]) {
        program.variant = .nft
      }
      return program
    }
    return nil
  }

  /// Where distributions put programs of this kind.
  public static let standardDirectories = [
    "/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin",
  ]

  private static func isProgram(_ path: String) -> Bool {
    do {
      return try File.status(of: path, followingLink: true)?.kind == .regular
    } catch {
      // A directory that cannot be looked into has nothing for us.
      return false
    }
  }
}

extension IptablesProgram {
  /// The chains and rules of a table, as the program lists them.
  ///
  /// - Throws: ``IptablesError`` if the program fails.
  public func rules(of table: String) throws(IptablesError) -> [IptablesRule] {
    let listing = try run(path, ["-w", Self.lockWait, "-t", table, "-S"], input: "")
    return listing.split(separator: "\n").compactMap { IptablesRule(listed: String($0)) }
  }

  /// Carries out changes to one table, all or none.
  ///
  /// - Throws: ``IptablesError`` if the program fails; then nothing has changed.
  public func change(_ table: String, _ changes: [IptablesChange]) throws(IptablesError) {
    let lines = ["*\(table)"] + changes.map(\.line) + ["COMMIT", ""]
    _ = try run(
      restorePath, ["-w", Self.lockWait, "--noflush"], input: lines.joined(separator: "\n"))
  }

  private func run(_ program: String, _ arguments: [String], input: String) throws(IptablesError)
    -> String
  {
    let outcome: ChildProcess.Outcome
    do {
      outcome = try ChildProcess.run(
        program, arguments: arguments,
        environment: Environment(["PATH": Self.standardDirectories.joined(separator: ":")]),
        input: Array(input.utf8), limits: .init(output: 64 << 20, time: Self.timeLimit))
    } catch {
      throw IptablesError(program: program, arguments: arguments, cause: .system(error))
    }
    guard outcome.isSuccess else {
      throw IptablesError(
        program: program, arguments: arguments,
        cause: .ended(
          outcome.end, saying: String(decoding: outcome.diagnostics, as: UTF8.self)))
    }
    return String(decoding: outcome.output, as: UTF8.self)
  }
}
