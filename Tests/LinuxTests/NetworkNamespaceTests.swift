import Glibc
import Linux
import TestSupport
import Testing

@Suite("A network namespace", .needsRoot)
struct NetworkNamespaceTests {
  @Test("is entered for the work and left afterwards")
  func comesHome() throws {
    let home = try NetworkNamespace.current().identity()
    let made = try NetworkNamespace.make()
    let inside = try made.run { () throws(SystemError) in try NetworkNamespace.current().identity()
    }
    let wanted = try made.identity()
    #expect(inside == wanted)
    #expect(inside != home)
    #expect(try NetworkNamespace.current().identity() == home)
  }

  @Test("is left when the work throws, and tells what it threw")
  func comesHomeFromFailure() throws {
    let home = try NetworkNamespace.current().identity()
    let made = try NetworkNamespace.make()
    let failure = SystemError(operation: "try", subject: "it", errno: .busy)
    var caught: NamespaceError<SystemError>?
    do throws(NamespaceError<SystemError>) {
      try made.run { () throws(SystemError) in throw failure }
    } catch {
      caught = error
    }
    #expect(caught == .work(failure))
    #expect(try NetworkNamespace.current().identity() == home)
  }

  @Test("can be visited from within another one")
  func nests() throws {
    let outer = try FreshNamespace()
    let inner = try FreshNamespace()
    let ways = try outer.run {
      let before = try NetworkNamespace.current().identity()
      let there = try inner.run { try NetworkNamespace.current().identity() }
      return [before, there, try NetworkNamespace.current().identity()]
    }
    let expected = [
      try outer.namespace.identity(), try inner.namespace.identity(),
      try outer.namespace.identity(),
    ]
    #expect(ways == expected)
  }

  @Test("knows itself under two paths")
  func comparesByIdentity() throws {
    let named = try NamedNamespace()
    let byName = try NetworkNamespace(path: named.path)
    let byDescriptor = try NetworkNamespace(path: named.fresh.path)
    let elsewhere = try NetworkNamespace.current()
    let known = try byName.identity()
    let answers = [try byDescriptor.identity() == known, try elsewhere.identity() == known]
    #expect(answers == [true, false])
  }

  @Test("that is gone is an error that says so")
  func missing() throws {
    var path = ""
    do {
      let made = try NamedNamespace()
      path = made.path
    }
    #expect(throws: SystemError(operation: "open", subject: path, errno: .noEntry)) {
      _ = try NetworkNamespace(path: path).path
    }
  }

  @Test(
    "is refused where the path holds something else",
    arguments: ["/etc/passwd", "/dev/null", "/proc/self/ns/uts", "/proc/self/status", "/tmp"])
  func refusesOthers(path: String) {
    #expect(
      throws: SystemError(operation: "open network namespace", subject: path, errno: .invalid)
    ) {
      _ = try NetworkNamespace(path: path).path
    }
  }

  @Test("ends the process rather than leaving the thread in it")
  func diesWithoutAWayHome() async {
    await #expect(processExitsWith: .signal(SIGABRT)) {
      let made = try NetworkNamespace.make()
      // Without its privileges the process may not go back.
      try made.run { _ = setuid(65534) }
    }
  }

  @Test("is fresh with only the loopback link in it, up")
  func freshHasLoopback() throws {
    let links = try FreshNamespace.run {
      try Directory.entries(of: "/proc/sys/net/ipv4/conf")
    }
    // Some kernels put tunnels into each namespace; nothing of this host's is in it.
    #expect(links.contains("lo"))
    #expect(!links.contains("eth0"))
    let routes = try FreshNamespace.run {
      let ran = try ChildProcess.run(
        "/usr/sbin/ip", arguments: ["-o", "addr", "show", "up"], environment: Environment())
      return String(decoding: ran.output, as: UTF8.self)
    }
    #expect(routes.contains("127.0.0.1/8"))
  }
}
