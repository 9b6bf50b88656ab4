import CNI

extension IptablesMappings {
  /// A condition decides whether a packet is meant, and nothing else.
  static func checkConditions(_ words: some Sequence<String>) throws(ProtocolError) {
    for word in words {
      let isOneLine = word.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
      let name = word.prefix { $0 != "=" }
      let isCommand =
        commands.contains(String(name))
        || ["-j", "-g", "-t", "-A", "-D", "-I", "-R", "-F", "-X"]
          .contains { word.hasPrefix($0) && !word.hasPrefix("--") }
      guard isOneLine, !isCommand else {
        throw ProtocolError(
          .invalidConfiguration, "a condition must not hold \(word.inQuotes)",
          details: "\"conditionsV4\" and \"conditionsV6\" say which packets are meant, "
            + "not what becomes of them")
      }
    }
  }

  /// Words by which a rule would do something, or iptables itself.
  private static let commands: Set<String> = [
    "--jump", "--goto", "--table", "--append", "--delete", "--insert", "--replace", "--flush",
    "--delete-chain", "--new-chain", "--policy", "--set-counters",
  ]
}
