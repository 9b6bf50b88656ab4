import Linux
import TestSupport
import Testing
import Witness

@Suite("The program when it takes a link away", .needsRoot, .endsWithinTheHour)
struct DeletionTests {
  @Test("leaves nothing of it, and its names free, however often they are used again")
  func again() throws {
    let host = try PluginHost()
    let network = TestNetwork.bridge(on: host)
    let pod = try Pod("pod")
    try succeed(try host.call("ADD", pod.attachment, network))
    let links = try host.run { try Witness.links() }.map(\.name)
    for _ in 0..<200 {
      try succeed(try host.call("DEL", pod.attachment, network))
      #expect(try host.run { try Witness.links() }.map(\.name) == ["lo", "test0"])
      #expect(try pod.run { try Witness.links() }.map(\.name) == ["lo"])
      try succeed(try host.call("ADD", pod.attachment, network))
    }
    #expect(try host.run { try Witness.links() }.map(\.name) == links)
  }

  /// What may befall the helper that waits for the kernel.
  enum Mishap: String, CaseIterable {
    case cannotStart = "clone3:error=EAGAIN"
    case unknownCall = "clone3:error=ENOSYS"
    case cannotClose = "close_range:error=ENOSYS"
    case killed = "close_range:signal=KILL"
  }

  @Test("does without its helper", arguments: Mishap.allCases)
  func mishap(_ mishap: Mishap) throws {
    try SystemCalls.requireTracer()
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let call = StreamTests().call(pod, store: store)
    let before = try host.run { try Witness.links() }
    #expect(try host.run { try plugins.ask("ADD", call) }.exitCode == 0)
    let trace = store.path("trace")
    let outcome = try host.run {
      try plugins.ask(
        "DEL", call,
        shell: "exec strace -f -qq -o \(trace) -e inject=\(mishap.rawValue) \"$PLUGIN\"")
    }
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(try store.text("trace")?.contains("(INJECTED)") == true || mishap == .killed)
    #expect(try store.text("trace")?.contains("killed by SIGKILL") == (mishap == .killed))
    #expect(try host.run { try Witness.links() } == before)
    #expect(try pod.run { try Witness.links() }.map(\.name) == ["lo"])
  }

  @Test("tells that it may not")
  func forbidden() throws {
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let call = StreamTests().call(pod, store: store)
    #expect(try host.run { try plugins.ask("ADD", call) }.exitCode == 0)
    let before = try host.run { try Witness.links() }
    let outcome = try host.run {
      try plugins.ask(
        "DEL", call, shell: "exec setpriv --bounding-set -net_admin --inh-caps -all \"$PLUGIN\"")
    }
    #expect(outcome.exitCode == 1)
    #expect(outcome.output.contains("remove the interface: "))
    #expect(outcome.output.contains("EPERM"))
    #expect(try host.run { try Witness.links() }.map(\.name) == before.map(\.name))
    #expect(try host.run { try plugins.ask("DEL", call) }.exitCode == 0)
    #expect(try host.run { try Witness.links() }.map(\.name) == ["lo"])
  }
}
