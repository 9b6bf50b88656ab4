import Addressing
import Conntrack
import Linux
import Netlink
import Nftables
import Services
import Synchronization
import TestSupport
import Testing

@Suite("While backends come and go", .needsRoot)
struct ServiceChurnTests {
  @Test("no connection is lost, and none leaves a backend that stays", arguments: Way.all)
  func churn(way: Way) throws {
    let lab = try ServiceLab()
    let stay = try way.cluster([0, 1])
    let more = try way.cluster([2, 1, 0])
    try lab.serve([stay])
    // Those who speak all the time, each from one port.
    let steady = try (0..<6).map { number in
      let socket = try lab.outside.run { try NetSocket(.udp, way.family) }
      try socket.bindClient(try IPAddress(way.outside), port: 43_000 + UInt16(number))
      return socket
    }
    let udp = Way(transport: .udp, family: way.family)
    let talk = Frontend(
      .address(try IPAddress(way.service)), .udp, port: 53, for: .cluster,
      backends: try udp.cluster([0, 1]).backends)
    try lab.change([], [talk])
    func speak() throws -> [Int?] {
      try steady.map { try lab.speak($0, to: try IPAddress(way.service), 53).pod }
    }
    let homes = try speak()

    let path = lab.node.path
    let others = try (1...4).map { number in
      Frontend(
        .address(try IPAddress(way.pick("10.96.1.\(number)", "fd96::1:\(number)"))), .tcp, port: 80,
        for: .cluster, backends: try ServiceLab.backends(Array(0..<number), way.family))
    }
    let outcome = Outcome()
    OwnThread.start {
      outcome.set(
        Result {
          try NetworkNamespace(path: path).run { () throws in
            let socket = try NetlinkSocket<NetfilterFamily>()
            for round in 0..<250 {
              let other = others[round % others.count]
              try ServiceTable.change(from: [stay], to: [more, other], on: socket)
              try ServiceTable.change(from: [more, other], to: [stay], on: socket)
            }
          }
        })
    }
    var answers: [Answer] = []
    var rounds = 0
    while outcome.result == nil || rounds < 20 {
      for _ in 0..<10 {
        answers.append(try lab.ask(way.transport, from: lab.outside, way.service, 80))
      }
      let now = try speak()
      #expect(now == homes)
      rounds += 1
    }
    try outcome.result?.get()
    #expect(answers.allSatisfy { $0.pod != nil }, "\(Set(answers))")

    // Once it is said to be gone, nobody comes any more.
    for _ in 0..<20 {
      try lab.change([stay], [more])
      try lab.change([more], [stay])
      // A port may be used again whose flow is remembered.
      try lab.node.run {
        try StaleFlows.forget(
          from: [more], to: [stay], isOwn: { _ in false },
          on: try NetlinkSocket<ConntrackFamily>())
      }
      let pods = try lab.pods(way.transport, from: lab.outside, way.service, 80, times: 5)
      #expect(pods.count == 5 && !pods.contains(2))
    }
    let differences = try lab.onNode {
      try ServiceTable.differences(from: [stay, talk], try ServiceLab.settings(), on: $0)
    }
    #expect(differences == [])
  }
}

/// How the work of another thread has come out, once it has.
private final class Outcome: Sendable {
  private let value = Mutex<Result<Void, any Error>?>(nil)

  var result: Result<Void, any Error>? { value.withLock { $0 } }

  func set(_ result: Result<Void, any Error>) { value.withLock { $0 = result } }
}
