import Addressing
import CNI
import Linux
import Plumbing
import TestSupport
import Testing
import Witness

@Suite("Masquerading that others have disturbed", .needsRoot)
struct MasqueradeRepairTests {
  /// What somebody does to our table.
  static let disturbances = [
    ["flush", "ruleset"], ["delete", "table", "inet", "swift_cni"],
    ["flush", "table", "inet", "swift_cni"],
    ["flush", "chain", "inet", "swift_cni", "masquerade_pods"],
  ]

  @Test("is missed by CHECK and made whole by ADD", arguments: disturbances)
  func disturbed(_ command: [String]) throws {
    let (missed, rules) = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      let rules = try nftablesRules().count
      try Masquerade.check(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      try nft(command)
      var missed: ProtocolError?
      do {
        try Masquerade.check(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      } catch let error as ProtocolError {
        missed = error
      }
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      try Masquerade.check(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      return (missed, try nftablesRules().count == rules)
    }
    #expect(missed?.message.contains("rules of table inet swift_cni are missing") == true)
    #expect(rules)
  }

  @Test(
    "is missed by CHECK when an element is gone", arguments: ["masquerade_v4", "own_subnet_v4_24"])
  func element(_ set: String) throws {
    let missed = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2)])
      try nft(["flush", "set", "inet", "swift_cni", set])
      do {
        try Masquerade.check(for: .pod("one"), addresses: [.v4(2)])
        return ""
      } catch let error as ProtocolError {
        return error.message
      }
    }
    #expect(missed == "masquerading of 10.1.2.2/24: an element of set \(set) is missing")
  }

  @Test(
    "is removed though some of it is gone already",
    arguments: [
      "masquerade_v4", "own_subnet_v4_24", "masquerade_owners",
    ])
  func removal(_ set: String) throws {
    let state = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2)])
      try nft(["flush", "set", "inet", "swift_cni", set])
      try Masquerade.remove(for: .pod("one"))
      return try PodState()
    }
    // Without its entry nobody can tell whose an element is; the next ADD of its address can.
    #expect(state.isEmpty == (set != "masquerade_owners"))
  }

  @Test("keeps what the valid attachments of a network have, and all of other networks")
  func garbage() throws {
    let state = try FreshNamespace.run {
      try Masquerade.add(for: .pod("valid"), addresses: [.v4(2)])
      try Masquerade.add(for: .pod("gone"), addresses: [.v4(3), .v6(3)])
      try Masquerade.add(for: .pod("gone", "other"), addresses: [.v4(4)])
      try Masquerade.collectGarbage(
        network: NetworkName("net"), keeping: [CNI.Attachment.pod("valid").withoutNetwork])
      return try PodState()
    }
    #expect(state.sources == ["10.1.2.2", "10.1.2.4"])
    #expect(state.owners == ["10.1.2.2/24", "10.1.2.4/24"])
  }

  @Test("loads again from what nft lists")
  func reload() throws {
    let (before, after) = try FreshNamespace.run {
      try Masquerade.add(
        for: .pod(String(repeating: "long", count: 60)), addresses: [.v4(2), .v6(2)])
      let before = try PodState()
      let listing = try nft(["list", "ruleset"])
      try nft(["flush", "ruleset"])
      try nft(["-f", "-"], input: listing)
      try Masquerade.check(
        for: .pod(String(repeating: "long", count: 60)), addresses: [.v4(2), .v6(2)])
      return (before, try PodState())
    }
    #expect(before == after)
  }

  @Test("comes to the same whoever is first when many pods come and go at once")
  func crowd() async throws {
    let host = try FreshNamespace()
    let path = host.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<8 {
        group.addTask {
          try await OwnThread.run {
            try NetworkNamespace(path: path).run { () throws(ProtocolError) in
              for round in 0..<10 {
                let number = worker * 10 + round + 2
                let length = 16 + worker
                let addresses: [InterfaceAddress]
                do {
                  addresses = [try .v4(number, length), try .v6(number)]
                  try Masquerade.add(for: try .pod("pod\(number)"), addresses: addresses)
                  if round % 2 == 1 { try Masquerade.remove(for: try .pod("pod\(number)")) }
                } catch let error as ProtocolError {
                  throw error
                } catch {
                  throw ProtocolError(.internalFailure, "\(error)")
                }
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let (state, rules) = try host.run { (try PodState(), try nftablesRules()) }
    #expect(state.sources.count == 80)
    #expect(state.owners.count == 40)
    #expect(rules.filter { $0.chain == "masquerade_pods" }.count == 5)
    #expect(rules.filter { $0.chain == "masquerade_v4" }.count == 8 + 2)
    #expect(rules.filter { $0.chain == "masquerade_v6" }.count == 1 + 2)
  }

  @discardableResult
  private func nft(_ arguments: [String], input: String = "") throws -> String {
    let ran = try ChildProcess.run(
      "/usr/sbin/nft", arguments: arguments, environment: Environment(), input: Array(input.utf8))
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
    return String(decoding: ran.output, as: UTF8.self)
  }
}
