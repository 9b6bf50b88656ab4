import CNI
import Linux
import TestSupport
import Testing
import Witness

@Suite("The program and its three streams", .needsRoot)
struct StreamTests {
  /// A call of ADD that takes a lease, so that what happened shows.
  func call(_ pod: borrowing FreshNamespace, store: borrowing TemporaryDirectory) -> PluginCall {
    PluginCall(
      "ptp",
      #"{"cniVersion":"1.0.0","name":"net","ipam":{"type":"host-local","dataDir":"\#(store.path)","#
        + #""subnet":"10.7.0.0/24"}}"#, namespace: pod.path)
  }

  func leases(_ store: borrowing TemporaryDirectory) throws -> [String] {
    guard try File.status(of: store.path("net")) != nil else { return [] }
    return try Directory.entries(of: store.path("net")).filter { $0.hasPrefix("10.") }
  }

  @Test("survives closed descriptors and gives no file their numbers")
  func closed() throws {
    let plugins = try InstalledPlugins()
    for (text, code) in [
      ("exec \"$PLUGIN\" 2>&-", 0), ("exec \"$PLUGIN\" 0<&-", 1),
      ("exec \"$PLUGIN\" 0<&- 1>&- 2>&-", 1), ("exec \"$PLUGIN\" 1>&- 2>&-", 0),
    ] as [(String, Int32)] {
      let store = try TemporaryDirectory()
      let host = try FreshNamespace()
      let pod = try FreshNamespace()
      let outcome = try host.run {
        try plugins.ask("ADD", call(pod, store: store), shell: text)
      }
      #expect(outcome.exitCode == code, "\(text): \(outcome)")
      for lease in try leases(store) {
        #expect(try store.text("net/\(lease)") == "pod-1\r\neth0", "\(text)")
      }
    }
  }

  @Test("waits for input as long as somebody may write it, and holds nothing meanwhile")
  func silent() throws {
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let scratch = try TemporaryDirectory()
    var call = call(pod, store: store)
    call.variables["DIR"] = scratch.path
    // Its first argument tells which descriptor the call is about that it waits in.
    let outcome = try host.run {
      try plugins.ask(
        "ADD", call,
        shell: """
          exec 4<&0
          mkfifo $DIR/fifo
          "$PLUGIN" <$DIR/fifo >$DIR/answer 4<&- &
          exec 3>$DIR/fifo
          until grep -q '^[0-9]* 0x0 ' /proc/$!/syscall; do sleep 0.01; done
          ls /proc/$!/fd | tr '\\n' ' ' >$DIR/open
          cat <&4 >&3
          exec 3>&-
          wait $! && cat $DIR/answer
          """)
    }
    #expect(try scratch.text("open") == "0 1 2 ")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(try leases(store).count == 1)
  }

  @Test(
    "takes back an ADD whose result nobody could read",
    arguments: [
      "exec \"$PLUGIN\" > /dev/full",
      // A reader that has gone before anything is written.
      "mkfifo $DIR/fifo; exec 3<>$DIR/fifo 4>$DIR/fifo 3<&-; exec \"$PLUGIN\" >&4 4>&-",
    ])
  func unreadable(_ text: String) throws {
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let scratch = try TemporaryDirectory()
    var call = call(pod, store: store)
    call.variables["DIR"] = scratch.path
    let outcome = try host.run { try plugins.ask("ADD", call, shell: text) }
    #expect(outcome.exitCode == 1)
    #expect(outcome.log.contains("cannot write the answer"))
    #expect(try leases(store) == [])
    #expect(try pod.run { try Witness.link(named: "eth0") } == nil)
    // The way is free for another attempt.
    let again = try host.run { try plugins.ask("ADD", call) }
    #expect(again.exitCode == 0, "\(again)")
  }

  @Test("reads a configuration that comes one byte at a time")
  func slow() throws {
    let plugins = try InstalledPlugins()
    let pod = try FreshNamespace()
    let call = PluginCall(
      "loopback", #"{"cniVersion":"1.0.0","name":"net"}"#, namespace: pod.path)
    let dribble =
      "import sys, os\nfor byte in sys.stdin.buffer.read(): os.write(1, bytes([byte]))"
    let outcome = try plugins.ask("ADD", call, shell: "python3 -c '\(dribble)' | \"$PLUGIN\"")
    #expect(outcome.exitCode == 0, "\(outcome)")
  }

  @Test("refuses more than it is ready to read, and does not wait for the rest")
  func huge() throws {
    let plugins = try InstalledPlugins()
    let pod = try FreshNamespace()
    let call = PluginCall("loopback", "", namespace: pod.path)
    let outcome = try plugins.ask("ADD", call, shell: "yes '          ' | \"$PLUGIN\"")
    #expect(outcome.exitCode == 1)
    #expect(outcome.error?.code == .ioFailure)
    #expect(outcome.error?.message.hasPrefix("error reading from stdin: ") == true)
  }

  @Test("takes a configuration as long as allowed")
  func long() throws {
    let plugins = try InstalledPlugins()
    let pod = try FreshNamespace()
    let start = #"{"cniVersion":"1.0.0","name":"net","x":""#
    let filler = String(repeating: "x", count: PluginMain.inputLimit - start.utf8.count - 2)
    var call = PluginCall("loopback", start + filler + "\"}", namespace: pod.path)
    #expect(try plugins.ask("ADD", call).exitCode == 0)
    call.configuration += " "
    #expect(try plugins.ask("ADD", call).error?.code == .ioFailure)
  }

  @Test("answers VERSION with every descriptor closed or open")
  func version() throws {
    let plugins = try InstalledPlugins()
    let call = PluginCall("bridge", "")
    #expect(try plugins.ask("VERSION", call, shell: "exec \"$PLUGIN\" 0<&- 2>&-").exitCode == 0)
    #expect(
      try plugins.ask("VERSION", call, shell: "exec \"$PLUGIN\" > /dev/full").exitCode == 1)
  }
}
