import JSON
import Linux
import Mutation
import Synchronization
import TestSupport
import Testing
import Witness

/// Pods come and go, one after the other in four places.
///
/// `SWIFT_CNI_ROUNDS=20000` lets so many come and go.
@Suite("A node after many pods", .needsRoot, .timeLimit(.minutes(240)))
struct SoakTests {
  @Test("has the links, rules, files and sockets that it had before, and asks as little")
  func soak() async throws {
    let pairs = FuzzSettings.rounds(200)
    let places = 4
    let (before, after, failures, costs) = try await OwnMounts.run(
      emptying: ["/var/lib", "/run"]
    ) {
      let lab = CountedCalls()
      let network = try PodNetwork(callers: places, program: lab.program)
      _ = try Self.pods(network, places, count: 40)
      let first = try lab.least(network)
      var before = try NodeCounts(network)
      // What the last of them have closed goes a moment later.
      _ = try Patience.until(.seconds(30)) {
        MonotonicTime.sleep(for: .milliseconds(200))
        let earlier = before
        before = try NodeCounts(network)
        return before.sockets == earlier.sockets
      }
      let failures = try Self.pods(network, places, count: pairs)
      var after = try NodeCounts(network)
      // The kernel takes apart what has ended after the one who ended it has gone on.
      _ = try Patience.until(.seconds(30)) {
        after = try NodeCounts(network)
        return after.hasNoMoreSockets(than: before)
      }
      return (before, after, failures, (first: first, last: try lab.least(network)))
    }
    #expect(failures == [])
    var figures: JSONObject = [:]
    for verb in [LoadCall.Verb.add, .delete] {
      let (first, last) = (try #require(costs.first[verb]), try #require(costs.last[verb]))
      #expect(first.messages > 3)
      // On a busy machine each round of one measurement may have had to ask once more.
      #expect(last.messages <= first.messages + 1, "\(verb) netlink messages")
      #expect(
        last.calls <= first.calls + 20, "\(verb) system calls: \(first.calls), \(last.calls)")
      for (name, count) in [("before", first), ("after", last)] {
        figures["\(verb.rawValue) system calls \(name)"] = .integer(count.calls)
        figures["\(verb.rawValue) netlink messages \(name)"] = .integer(count.messages)
      }
    }
    #expect(after.hasNoMoreSockets(than: before), "\(before.sockets) → \(after.sockets)")
    #expect(Witness.difference(from: before.picture, to: after.picture) == [])
    try GateReport.tell(
      "ADD and DEL of bridge with ipMasq, portmap and firewall, \(places) at a time",
      [.residue],
      ours: GateFigures(
        tried: pairs, failed: failures.count,
        others: JSONObject(
          members: figures.members + [
            JSONMember("slab KiB before", .integer(before.slab)),
            JSONMember("slab KiB after", .integer(after.slab)),
            JSONMember("links, rules and files before", .integer(before.picture.count)),
            JSONMember("links, rules and files after", .integer(after.picture.count)),
            JSONMember("netlink sockets before", .integer(before.sockets["netlink"] ?? -1)),
            JSONMember("netlink sockets after", .integer(after.sockets["netlink"] ?? -1)),
          ])))
  }

  /// Lets so many pods come and go; says what went wrong.
  private static func pods(_ network: PodNetwork, _ places: Int, count: Int) throws -> [String] {
    let state = Mutex((left: count, working: places, failures: [String]()))
    for place in 0..<places {
      OwnThread.start {
        while true {
          let number = state.withLock { state in
            state.left -= 1
            return state.left
          }
          if number < 0 { break }
          do {
            for verb in [LoadCall.Verb.add, .delete] {
              let answer = try network.call(verb, "pod-\(number)", by: place, keeping: [])
              if !answer.isSuccess { state.withLock { $0.failures.append(answer.said) } }
            }
          } catch {
            state.withLock { $0.failures.append("\(error)") }
          }
        }
        state.withLock { $0.working -= 1 }
      }
    }
    _ = Patience.until(.seconds(4 * 3600)) { state.withLock { $0.working == 0 } }
    return state.withLock { $0.failures }
  }
}

/// What there is of everything on a node.
private struct NodeCounts: Sendable {
  /// Links, addresses, routes, rules, sets and files.
  let picture: [String]
  /// Sockets of the host's namespace, by their kind.
  let sockets: [String: Int]
  /// The kernel's own memory, of the whole machine.
  let slab: Int

  init(_ network: PodNetwork) throws {
    picture = try network.picture()
    sockets = try network.inside {
      var sockets: [String: Int] = [:]
      for kind in ["netlink", "unix", "packet", "raw", "udp", "tcp"] {
        sockets[kind] = try Self.lines("/proc/thread-self/net/\(kind)").count - 1
      }
      return sockets
    }
    let line = try Self.lines("/proc/meminfo").first { $0.hasPrefix("Slab:") } ?? ""
    slab = Int(line.filter(\.isNumber)) ?? 0
  }

  /// The first count may have some that the last pods had not closed yet, hence no more and not as many.
  func hasNoMoreSockets(than before: NodeCounts) -> Bool {
    sockets.allSatisfy { kind, count in count <= before.sockets[kind] ?? 0 }
  }

  private static func lines(_ path: String) throws -> [Substring] {
    String(decoding: try File.read(path, limit: 1 << 24), as: UTF8.self).split(separator: "\n")
  }
}
