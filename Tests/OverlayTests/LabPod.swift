import Addressing
import JSON
import Synchronization
import TestSupport
import Testing

/// A pod of the lab.
final class LabPod: Sendable {
  let name: String
  let namespace: FreshNamespace
  let addresses = Mutex<[IPAddress]>([])
  /// What ADD answered.
  let result = Mutex(JSONObject())

  init(_ name: String) throws {
    self.name = name
    namespace = try FreshNamespace()
  }

  func address(_ family: IPFamily) throws -> String {
    let found = addresses.withLock { $0.first { $0.family == family } }
    return try #require(found).description
  }

  func run<Product>(_ body: () throws -> Product) throws -> Product { try namespace.run(body) }
  func sh(_ line: String) throws { try run { () throws in _ = try Shell.run(line) } }
}
