import Glibc
import JSON
import TestSupport

/// What iproute2 and nft say about a fresh network namespace: the other source of every test here.
enum Judge {
  /// Runs the work on a thread of its own, in a network namespace that ends with it.
  static func inFreshNamespace<T: Sendable>(
    _ work: @escaping @Sendable () throws -> T
  ) async throws -> T {
    try await OwnThread.run { try FreshNamespace.run(work) }
  }

  /// The output of a program started in the calling thread's namespace.
  @discardableResult
  static func run(_ command: String) throws -> String {
    guard let pipe = unsafe popen("set -eu\n" + command, "re") else {
      throw Refusal(command: command)
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = unsafe fread(&buffer, 1, buffer.count, pipe), count > 0 {
      output += buffer.prefix(count)
    }
    guard unsafe pclose(pipe) == 0 else { throw Refusal(command: command) }
    return String(decoding: output, as: UTF8.self)
  }

  /// The list of objects that `ip -j` prints.
  static func list(_ command: String) throws -> [JSONValue] {
    try JSONParser.parse(try run(command)).listValue ?? []
  }
}

/// A command that did not succeed.
struct Refusal: Error {
  let command: String
}

extension JSONValue {
  /// The value of a member, as text; `-` when it is absent.
  func text(_ path: String...) -> String {
    var place: JSONValue? = self
    for key in path { place = place?.objectValue?[key] }
    return switch place {
    case .string(let text): text
    case .number(let text): text
    case .bool(let flag): "\(flag)"
    default: "-"
    }
  }

  /// The value of a member that is a list; empty when it is absent.
  func list(_ key: String) -> [JSONValue] {
    objectValue?[key]?.listValue ?? []
  }
}
