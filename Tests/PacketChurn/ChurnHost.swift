import Linux

/// A network namespace of the measurement.
final class ChurnHost: Sendable {
  private let namespace: NetworkNamespace

  init() throws {
    namespace = try NetworkNamespace.make()
    try ip(["link set lo up"])
  }

  var path: String { namespace.sharedPath }

  func run<Product>(_ body: () throws -> Product) throws -> Product { try namespace.run(body) }

  func ip(_ lines: [String]) throws {
    try program("/usr/sbin/ip", ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
  }

  func write(_ value: String, to setting: String) throws {
    try run { try Sysctl.write(["net"] + setting.split(separator: "/").map(String.init), value) }
  }

  /// Whether an address answers within a second.
  func pings(_ address: String) -> Bool {
    do {
      try program("/usr/bin/ping", ["-n", "-c", "1", "-W", "1", address])
      return true
    } catch {
      return false
    }
  }

  /// Runs a program in it that must succeed, and returns what it wrote.
  @discardableResult
  func program(
    _ path: String, _ arguments: [String] = [], _ variables: [String: String] = [:],
    input: String = ""
  ) throws -> String {
    let ran = try run {
      try ChildProcess.run(
        path, arguments: arguments, environment: Environment(variables), input: Array(input.utf8))
    }
    guard ran.isSuccess else {
      throw ChurnFailure(
        "\(path) \(arguments) \(variables): \(String(decoding: ran.output, as: UTF8.self))"
          + String(decoding: ran.diagnostics, as: UTF8.self))
    }
    return String(decoding: ran.output, as: UTF8.self)
  }
}

/// The measurement itself failed.
public struct ChurnFailure: Error, CustomStringConvertible {
  /// What failed and why.
  public let description: String

  init(_ description: String) { self.description = description }
}
