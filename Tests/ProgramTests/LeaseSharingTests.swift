import JSON
import Linux
import Synchronization
import TestSupport
import Testing

@Suite("host-local in many processes", .serialized, .endsWithinTheHour)
struct LeaseSharingTests {
  @Test("gives every address once to 256 containers, 16 at a time, and gets all of them back")
  func manyProcesses() async throws {
    let workshop = try LeaseWorkshop()
    var program = workshop.ours
    program.subnet = "10.1.0.0/22"
    let given = try await Self.storm(256, [program], "ADD")
    #expect(given.failures == [])
    #expect(Set(given.addresses).count == 256)
    #expect(try program.leases().count == 256)
    let ended = try await Self.storm(256, [program], "DEL")
    #expect(ended.failures == [])
    #expect(try program.leases() == [:])
  }

  @Test("shares a store with upstream's, and either ends the other's leases")
  func upstream() async throws {
    try #require(
      try File.status(of: LeaseProgram.upstream, followingLink: true) != nil,
      "upstream's plugins are missing: apt-get install containernetworking-plugins")
    let workshop = try LeaseWorkshop()
    var ours = workshop.ours
    ours.subnet = "10.1.0.0/22"
    let theirs = LeaseProgram(
      program: LeaseProgram.upstream, directory: ours.directory, subnet: ours.subnet)

    for round in 1...2 {
      let given = try await Self.storm(150, [ours, theirs], "ADD")
      #expect(given.failures == [])
      #expect(Set(given.addresses).count == 150)
      let leases = try ours.leases()
      #expect(leases.count == 150)
      #expect(leases.values.allSatisfy { $0.hasSuffix("\r\neth0") })
      // Whoever gave an address, the other takes it back.
      let ended = try await Self.storm(150, [theirs, ours], "DEL")
      #expect(ended.failures == [])
      #expect(try ours.leases() == [:], "round \(round)")
    }
    // What we keep beside the leases has not confused anybody.
    #expect(try theirs.run("ADD", "last").isSuccess)
    #expect(try ours.run("CHECK", "last").isSuccess)
    #expect(try theirs.run("CHECK", "last").isSuccess)
    #expect(try !theirs.run("CHECK", "never").isSuccess)
    #expect(try !ours.run("ADD", "last").isSuccess)
    #expect(try ours.run("DEL", "last").isSuccess)
  }

  @Test("makes as many system calls at 65 000 leases as at 10")
  func constantWork() throws {
    let workshop = try LeaseWorkshop()
    var program = workshop.ours
    program.subnet = "10.1.0.0/16"
    let few = try Self.calls(program, workshop.path("trace"), leases: 2...11)
    let many = try Self.calls(program, workshop.path("trace"), leases: 12...65_001)
    for (few, many) in [(few.add, many.add), (few.delete, many.delete)] {
      #expect(many.others == few.others)
      // A larger index begins to be read somewhere else, which is a page more or less.
      #expect(many.pages <= few.pages + 2)
    }
  }

  private static func calls(
    _ program: LeaseProgram, _ trace: String, leases: ClosedRange<Int>
  ) throws -> (add: (pages: Int, others: [String]), delete: (pages: Int, others: [String])) {
    try Directory.create("\(program.directory)/net")
    for number in leases {
      let file = try File.open(
        "\(program.directory)/net/10.1.\(number / 256).\(number % 256)", for: .making)
      try file.write(Array("pod-\(number)\r\neth0".utf8))
    }
    let cursor = "10.1.\(leases.upperBound / 256).\(leases.upperBound % 256)"
    try File.replace(
      "\(program.directory)/net/last_reserved_ip.0", with: Array(cursor.utf8), flushed: false)
    // The first one makes the index.
    for _ in 1...2 {
      try #require(try program.run("ADD", "first").isSuccess)
      try #require(try program.run("DEL", "first").isSuccess)
    }
    return (
      try calls(SystemCalls.record(program, "ADD", "probe", in: trace)),
      try calls(SystemCalls.record(program, "DEL", "probe", in: trace))
    )
  }

  /// How many pages of the index are read and written, and all other calls by name.
  ///
  /// What grows the heap a little is left out: it depends on what else lies there.
  private static func calls(_ all: SystemCalls) -> (pages: Int, others: [String]) {
    let names = all.calls.map(\.name)
    let paging = ["pread64", "pwrite64"]
    return (
      names.count(where: paging.contains), names.filter { !paging.contains($0) && $0 != "brk" }
    )
  }

  /// What came of many calls; shared by the threads that make them.
  private final class Tally: Sendable {
    private struct State {
      var next = 0
      var addresses: [String] = []
      var failures: [String] = []
    }

    private let state = Mutex(State())

    var addresses: [String] { state.withLock { $0.addresses } }
    var failures: [String] { state.withLock { $0.failures } }

    func nextNumber() -> Int {
      state.withLock { state in
        state.next += 1
        return state.next
      }
    }

    func add(_ outcome: ChildProcess.Outcome, _ address: String?) {
      state.withLock { state in
        if !outcome.isSuccess { state.failures.append(outcome.outputText) }
        if let address { state.addresses.append(address) }
      }
    }
  }

  /// Runs a command for so many containers, with the programs in turn, sixteen at a time.
  private static func storm(
    _ count: Int, _ programs: [LeaseProgram], _ command: String
  ) async throws -> Tally {
    let tally = Tally()
    try await withThrowingTaskGroup { group in
      for _ in 1...16 {
        group.addTask {
          try await OwnThread.run {
            while true {
              let number = tally.nextNumber()
              if number > count { return }
              let outcome = try programs[number % programs.count].run(command, "pod-\(number)")
              tally.add(outcome, try address(in: outcome))
            }
          }
        }
      }
      try await group.waitForAll()
    }
    return tally
  }

  private static func address(in outcome: ChildProcess.Outcome) throws -> String? {
    guard outcome.isSuccess, !outcome.output.isEmpty else { return nil }
    let ips = try JSONParser.parse(outcome.output).objectValue?["ips"]?.listValue
    return ips?.first?.objectValue?["address"]?.textValue
  }
}
