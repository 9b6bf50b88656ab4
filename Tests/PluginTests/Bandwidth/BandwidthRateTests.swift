import CNI
import JSON
import Linux
import TestSupport
import Testing

/// The rates are what the plugin is for, so they are measured with real traffic and asserted.
///
/// A machine that has no time for its senders and receivers can make any one measurement wrong, but
/// none of a wrong rate right: what is off is measured again before it counts.
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

    /// Limits a pod and measures both ways, on a thread that may wait: megabits per second as far as
    /// they can be had within what is expected.
    func measured(
      with keys: JSONObject = [:], expecting into: ClosedRange<Double>, out: ClosedRange<Double>
    ) async throws -> (into: Double, out: Double) {
      try await OwnThread.run { [self] in
        let site = try BandwidthSite()
        let limited = try site.add(self.keys.adding(keys), try site.join(try Pod("one")))
        return (
          try Self.repeated(until: into) {
            try IperfRun.measure(into: limited.pod, from: site.lab.host)
          },
          try Self.repeated(until: out) {
            try IperfRun.measure(outOf: limited.pod, to: site.lab.host)
          }
        )
      }
    }

    /// What was measured first of what was expected, or else what was measured last.
    private static func repeated(
      until expected: ClosedRange<Double>, _ measure: () throws -> Double
    ) throws -> Double {
      for _ in 1...4 {
        do {
          let rate = try measure()
          if expected.contains(rate) { return rate }
        } catch is TestProgram.Failure {
          // iperf3 gives up where its own connection has no answer in time.
        }
      }
      return try measure()
    }
  }

  @Test(
    "is as fast as was asked, to a tenth",
    arguments: [Rates(ingress: 20, egress: 100), Rates(ingress: 200, egress: 50)])
  func rates(_ rates: Rates) async throws {
    try await expect(rates, Self.aTenth(around: rates.ingress), Self.aTenth(around: rates.egress))
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
    if networks == .unshaped {
      try await expect(rates, with: networks.keys, 200...Double.infinity, 200...Double.infinity)
    } else {
      try await expect(
        rates, with: networks.keys, Self.aTenth(around: rates.ingress),
        Self.aTenth(around: rates.egress))
    }
  }

  private func expect(
    _ rates: Rates, with keys: JSONObject = [:], _ into: ClosedRange<Double>,
    _ out: ClosedRange<Double>
  ) async throws {
    let measured = try await rates.measured(with: keys, expecting: into, out: out)
    #expect(into.contains(measured.into), "Mbit/s in")
    #expect(out.contains(measured.out), "Mbit/s out")
  }

  private static func aTenth(around asked: Int) -> ClosedRange<Double> {
    Double(asked) * 0.9...Double(asked) * 1.1
  }
}
