import Glibc
import JSON
import Linux
import Mutation
import Synchronization
import TestSupport

/// What the callers of a load test call.
protocol LoadedNetwork: Sendable {
  /// How many addresses it has.
  var capacity: Int { get }
  /// Whether GC and STATUS can be asked for.
  var knowsGarbage: Bool { get }

  /// Calls a plugin, or all of a list, and tells what it answered.
  ///
  /// The owner is the container, if the call is about one. Each caller has a namespace of its own.
  func call(
    _ verb: LoadCall.Verb, _ owner: String, by caller: Int, keeping valid: Set<String>
  ) throws -> LoadAnswer

  /// Lets what a caller has attached last go without a DEL.
  func abandon(by caller: Int) throws
}

/// What came of a call.
struct LoadAnswer: Sendable {
  var isSuccess: Bool
  var addresses: [String] = []
  var said = ""
  /// What is against the protocol in it.
  var fault: String?
}

extension LoadAnswer {
  /// What a plugin's process has said.
  init(_ verb: LoadCall.Verb, _ outcome: ChildProcess.Outcome) {
    self.init(
      isSuccess: outcome.isSuccess, said: String(decoding: outcome.output, as: UTF8.self))
    if isSuccess, verb != .add {
      if !said.isEmpty { fault = "\(verb) says \(said)" }
      return
    }
    do {
      let document = try JSONParser.parse(outcome.output).objectValue ?? [:]
      if isSuccess {
        addresses = (document["ips"]?.listValue ?? []).compactMap {
          $0.objectValue?["address"]?.textValue?.split(separator: "/").first.map(String.init)
        }
        if addresses.isEmpty { fault = "an ADD without an address: \(said)" }
      } else if document["code"]?.integerValue == nil || document["msg"]?.textValue == nil {
        fault = "no error object: \(outcome.end) \(said)"
      }
    } catch {
      fault = "no JSON: \(outcome.end) \(said) \(error)"
    }
  }
}

/// Many callers at once on one network.
final class LoadRun: Sendable {
  /// What they saw, and what was wrong.
  struct Result: Sendable {
    var history: LoadHistory
    var complaints: [String]

    /// For the report.
    var figures: GateFigures {
      GateFigures(tried: history.calls.count, failed: complaints.count, others: history.figures)
    }
  }

  private struct State {
    var history = LoadHistory()
    var complaints: [String] = []
    /// Attachments that a runtime knows of, from before their ADD until after their DEL.
    var known: Set<String> = []
    /// How many ADDs and DELs are under way.
    var changing = 0
    var isCollecting = false
    var working = 0
  }

  private let state = Mutex(State())
  private let network: any LoadedNetwork
  private let deadline: MonotonicTime

  private init(_ network: any LoadedNetwork, _ time: Duration) {
    self.network = network
    deadline = .now + time
  }

  /// Lets callers call for some time; those that end their attachments end the last ones too.
  static func run(
    _ network: any LoadedNetwork, callers: Int, for time: Duration
  ) -> Result {
    allowManyFiles()
    let run = LoadRun(network, time)
    run.state.withLock { $0.working = callers }
    for caller in 0..<callers {
      OwnThread.start {
        do {
          try run.work(as: caller)
        } catch {
          run.complain("caller \(caller): \(error)")
        }
        run.state.withLock { $0.working -= 1 }
      }
    }
    let isOver = Patience.until(time + .seconds(300)) { run.state.withLock { $0.working == 0 } }
    if !isOver { run.complain("the callers do not come to an end") }
    let (history, complaints) = run.state.withLock { ($0.history, $0.complaints) }
    return Result(
      history: history,
      complaints: complaints + history.duplicates()
        + history.needlessRefusals(capacity: network.capacity))
  }

  /// A program that runs takes six descriptors of ours.
  private static func allowManyFiles() {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  private func complain(_ what: String) { state.withLock { $0.complaints.append(what) } }

  /// What one caller does: attachments, one after the other, most of which it takes down itself.
  private func work(as caller: Int) throws {
    var random = SeededRandom(seed: UInt64(caller))
    var serial = 0
    while .now < deadline {
      serial += 1
      let owner = "c\(caller)-\(serial)"
      state.withLock { _ = $0.known.insert(owner) }
      if try call(.add, owner, by: caller).isSuccess {
        if random.chance(30), try !call(.check, owner, by: caller).isSuccess {
          complain("CHECK of \(owner) fails")
        }
        if network.knowsGarbage, random.chance(8) {
          // Nobody will ever ask for its end.
          try network.abandon(by: caller)
          forget(owner)
          if random.chance(40) { try collectGarbage(by: caller) }
          continue
        }
      }
      if network.knowsGarbage, random.chance(10) { _ = try call(.status, "", by: caller) }
      if try !call(.delete, owner, by: caller).isSuccess { complain("DEL of \(owner) fails") }
      forget(owner)
    }
  }

  private func forget(_ owner: String) { state.withLock { _ = $0.known.remove(owner) } }

  /// A runtime lets no ADD and no DEL run beside GC.
  private func collectGarbage(by caller: Int) throws {
    let isOurs = state.withLock { state in
      defer { state.isCollecting = true }
      return !state.isCollecting
    }
    guard isOurs else { return }
    defer { state.withLock { $0.isCollecting = false } }
    _ = Patience.until(.seconds(120)) { state.withLock { $0.changing == 0 } }
    let valid = state.withLock { $0.known }
    if try !call(.collect, "", by: caller, keeping: valid).isSuccess { complain("GC fails") }
  }

  private func begin(_ verb: LoadCall.Verb) {
    guard verb == .add || verb == .delete else { return }
    _ = Patience.until(.seconds(120)) {
      state.withLock { state in
        if !state.isCollecting { state.changing += 1 }
        return !state.isCollecting
      }
    }
  }

  private func end(_ verb: LoadCall.Verb) {
    guard verb == .add || verb == .delete else { return }
    state.withLock { $0.changing -= 1 }
  }

  private func call(
    _ verb: LoadCall.Verb, _ owner: String, by caller: Int, keeping valid: Set<String> = []
  ) throws -> LoadAnswer {
    begin(verb)
    defer { end(verb) }
    let start = MonotonicTime.now
    let answer = try network.call(verb, owner, by: caller, keeping: valid)
    let call = LoadCall(
      verb: verb, owner: owner, start: start, end: .now, isSuccess: answer.isSuccess,
      addresses: answer.addresses, kept: valid, said: answer.said)
    state.withLock { state in
      state.history.calls.append(call)
      if let fault = answer.fault { state.complaints.append(fault) }
    }
    return answer
  }
}
