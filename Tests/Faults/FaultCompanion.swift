import Linux
import TestSupport

/// A program that runs as long as a world does, beside the programs that fail.
struct FaultCompanion: Sendable {
  /// Its path and what follows; `PLUGINS` stands for the directory of the plugins.
  let words: [String]
  /// Whether it runs at the other end of the host's network.
  let isOutside: Bool
  /// What succeeds in a shell as soon as it serves; `$LOG` is what it has said.
  let sign: String

  /// A DHCP server, which gives each pod the same address each time.
  static let server = FaultCompanion(
    words: [
      "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
      "--interface=eth0", "--except-interface=lo", "--dhcp-range=192.0.2.50,192.0.2.59,1h",
      "--dhcp-host=02:00:00:00:02:10,192.0.2.50", "--dhcp-host=02:00:00:00:02:11,192.0.2.51",
      "--no-ping", "--pid-file=", "--dhcp-leasefile=/dev/null", "--leasefile-ro", "--user=root",
      "--log-facility=-",
    ], isOutside: true, sign: "grep -q 'IP range' $LOG")

  /// Ours, which keeps the leases of the node.
  static let daemon = FaultCompanion(
    words: ["PLUGINS/dhcp", "daemon"], isOutside: false, sign: "test -S /run/cni/dhcp.sock")

  /// Starts it in the calling thread's namespace, and waits until it serves.
  ///
  /// - Parameters:
  ///   - directory: where the plugins lie.
  ///   - log: a file for what it says.
  /// - Returns: the program, which ends with the value.
  /// - Throws: `SystemError`, `ShellFailure`, or what it has said if it does not serve.
  func start(_ directory: String, log: String) throws -> BackgroundProgram {
    let words = words.map { $0.replacing("PLUGINS", with: directory) }
    let program = try BackgroundProgram(words[0], Array(words.dropFirst()), log: log)
    let serves = try Patience.until(.seconds(60)) {
      try !program.isRunning || Shell.succeeds("LOG=\(log); \(sign)")
    }
    guard serves, program.isRunning else {
      throw FaultWorld.Failed(description: "\(words[0]) does not serve: \(try program.said())")
    }
    return program
  }
}
