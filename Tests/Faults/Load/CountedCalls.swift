import CNI
import CNIRuntime
import Linux
import Synchronization
import TestSupport

/// Runs plugins under the tracer, and counts what they ask of the kernel.
final class CountedCalls: Sendable {
  /// What a verb of a whole list took.
  struct Count: Sendable {
    var calls = 0
    /// Datagrams sent to the kernel over netlink.
    var messages = 0
  }

  private struct State {
    var isCounting = false
    var count = Count()
  }

  private let state = Mutex(State())
  private static let trace = "/run/trace"

  func attach(_ network: PodNetwork, _ pod: String) throws {
    let answer = try network.call(.add, pod, by: pod == "first" ? 0 : 1, keeping: [])
    if !answer.isSuccess { throw Refusal(description: answer.said) }
  }

  func detach(_ network: PodNetwork, _ pod: String) throws {
    let answer = try network.call(.delete, pod, by: 1, keeping: [])
    if !answer.isSuccess { throw Refusal(description: answer.said) }
  }

  /// The least of several rounds: on a busy host a plugin may have to wait, and asks once more.
  func least(_ network: PodNetwork) throws -> [LoadCall.Verb: Count] {
    var least: [LoadCall.Verb: Count] = [:]
    for _ in 1...5 {
      let added = try counting { try attach(network, "probe") }
      let deleted = try counting { try detach(network, "probe") }
      for (verb, count) in [(LoadCall.Verb.add, added), (.delete, deleted)] {
        let before = least[verb] ?? count
        least[verb] = Count(
          calls: min(before.calls, count.calls), messages: min(before.messages, count.messages))
      }
    }
    return least
  }

  private func counting(_ work: () throws -> Void) throws -> Count {
    state.withLock { $0 = State(isCounting: true) }
    defer { state.withLock { $0.isCounting = false } }
    try work()
    return state.withLock { $0.count }
  }

  var program: PluginProgram {
    PluginProgram { path, input, environment throws(ProtocolError) in
      guard self.state.withLock({ $0.isCounting }) else {
        return try PluginProgram.executed(path, input: input, environment: environment)
      }
      let outcome: ChildProcess.Outcome
      let text: String
      do throws(SystemError) {
        outcome = try ChildProcess.run(
          SystemCalls.tracer, arguments: ["-qq", "-o", Self.trace, path],
          environment: environment, input: input)
        text = String(decoding: try File.read(Self.trace, limit: 1 << 26), as: UTF8.self)
        try File.remove(Self.trace)
      } catch {
        throw ProtocolError(error)
      }
      guard outcome.isSuccess else { throw try ProtocolError(printed: outcome.output) }
      let calls = SystemCalls(trace: text, from: "execve").calls
      let sent = calls.filter { ["sendto", "sendmsg"].contains($0.name) }
        .filter { $0.line.contains("nlmsg_len") || $0.line.contains("AF_NETLINK") }
      self.state.withLock { state in
        state.count.calls += calls.count
        state.count.messages += sent.count
      }
      return outcome.output
    }
  }

  /// A plugin has failed.
  struct Refusal: Error, CustomStringConvertible { let description: String }
}
