import CNI
import JSON
import Linux
import TestSupport
import Testing

/// The rates are what the plugin is for, so they are measured with real traffic and asserted.
@Suite("Limited traffic", .needsRoot, .serialized)
struct BandwidthRateTests {
  /// Megabits per second.
  struct Rates: Sendable, CustomTestStringConvertible {
    let ingress: Int
    let egress: Int
    var testDescription: String { "\(ingress) in, \(egress) out" }

    /// With a burst of 20 milliseconds.
    var keys: JSONObject {
      [
        "ingressRate": .integer(ingress * 1_000_000), "ingressBurst": .integer(ingress * 20000),
        "egressRate": .integer(egress * 1_000_000), "egressBurst": .integer(egress * 20000),
      ]
    }

    /// Limits a pod and measures both ways, on a thread that may wait.
    func measured(with keys: JSONObject = [:]) async throws -> (into: Double, out: Double) {
      try await OwnThread.run { [self] in
        let site = try BandwidthSite()
        let limited = try site.add(self.keys.adding(keys), try site.join(try Pod("one")))
        return (
          try IperfRun.measure(into: limited.pod, from: site.lab.host),
          try IperfRun.measure(outOf: limited.pod, to: site.lab.host)
        )
      }
    }
  }

  @Test(
    "is as fast as was asked, to a tenth",
    arguments: [Rates(ingress: 20, egress: 100), Rates(ingress: 200, egress: 50)])
  func rates(_ rates: Rates) async throws {
    let (into, out) = try await rates.measured()
    #expect(Self.isWithinATenth(into, of: rates.ingress), "\(into) Mbit/s in")
    #expect(Self.isWithinATenth(out, of: rates.egress), "\(out) Mbit/s out")
  }

  /// Networks told apart; the host is 10.1.2.1 to its pods.
  enum Networks: CaseIterable, Sendable {
    case shaped, unshaped, otherUnshaped

    var keys: JSONObject {
      switch self {
      case .shaped: ["shapedSubnets": ["10.1.2.1/32"]]
      case .unshaped: ["unshapedSubnets": ["10.1.2.1/32"]]
      case .otherUnshaped: ["unshapedSubnets": ["10.1.2.128/25"]]
      }
    }
  }

  @Test("is limited from and to the networks that are meant", arguments: Networks.allCases)
  func networks(_ networks: Networks) async throws {
    let rates = Rates(ingress: 20, egress: 40)
    let (into, out) = try await rates.measured(with: networks.keys)
    guard networks != .unshaped else {
      #expect(into > 200 && out > 200, "\(into) Mbit/s in, \(out) out")
      return
    }
    #expect(Self.isWithinATenth(into, of: rates.ingress), "\(into) Mbit/s in")
    #expect(Self.isWithinATenth(out, of: rates.egress), "\(out) Mbit/s out")
  }

  private static func isWithinATenth(_ measured: Double, of asked: Int) -> Bool {
    (Double(asked) * 0.9...Double(asked) * 1.1).contains(measured)
  }
}
