import JSON
import Linux
import TestSupport

/// How fast TCP goes between the host and a pod, by iperf3: three seconds after a first one.
enum IperfRun {
  /// Megabits per second of payload from the host into the pod.
  static func measure(into pod: Pod, from host: borrowing FreshNamespace) throws -> Double {
    try measure(pod, host, [])
  }

  /// Megabits per second of payload out of the pod to the host.
  static func measure(outOf pod: Pod, to host: borrowing FreshNamespace) throws -> Double {
    try measure(pod, host, ["--reverse"])
  }

  private static func measure(
    _ pod: Pod, _ host: borrowing FreshNamespace, _ arguments: [String]
  ) throws -> Double {
    // It goes into the background by itself, and ends after one measurement or without any. The one
    // of the measurement before may not be gone yet, so each has a port of its own.
    let port = "\(UInt16.random(in: 20000..<30000))"
    let started = try pod.run {
      try run(["--server", "--port", port, "--daemon", "--one-off", "--idle-timeout", "30"])
    }
    guard started.isSuccess else { throw failure("server", started) }
    let address = try pod.plainAddress()
    for _ in 1...1000 {
      let tried = try host.run {
        try run(
          ["--client", address, "--port", port, "--json", "--omit", "1", "--time", "3"] + arguments)
      }
      // The server is on its way into the background. With --json that is not told by the code.
      let isTooEarly = String(decoding: tried.output, as: UTF8.self).contains("Connection refused")
      if isTooEarly { continue }
      guard tried.isSuccess else { throw failure("client", tried) }
      return try megabits(tried.output)
    }
    throw TestProgram.Failure("iperf3: the server does not come up")
  }

  private static func run(_ arguments: [String]) throws -> ChildProcess.Outcome {
    try ChildProcess.run(
      "/usr/bin/iperf3", arguments: arguments, environment: Environment(["LC_ALL": "C"]),
      limits: .init(output: 1 << 22, time: .seconds(30)))
  }

  private static func megabits(_ output: [UInt8]) throws -> Double {
    let document = try JSONParser.parse(output).objectValue ?? [:]
    let sum = document["end"]?.objectValue?["sum_received"]?.objectValue
    guard case .number(let digits)? = sum?["bits_per_second"], let bits = Double(digits) else {
      throw TestProgram.Failure(
        "iperf3 says nothing of bits_per_second: \(String(decoding: output, as: UTF8.self))")
    }
    return bits / 1_000_000
  }

  private static func failure(_ part: String, _ outcome: ChildProcess.Outcome) -> any Error {
    let said = String(decoding: outcome.output + outcome.diagnostics, as: UTF8.self)
    return TestProgram.Failure("iperf3 \(part): \(said)")
  }
}
