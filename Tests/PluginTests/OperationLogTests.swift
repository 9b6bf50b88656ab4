import CNI
import Glibc
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The operator's log", .needsRoot)
struct OperationLogTests {
  /// Calls host-local with these members beside its others and this value of `CNI_LOG`.
  private static func call(
    _ host: borrowing HostLocalFixture, _ container: String = "pod-1", key: String? = nil,
    variable: String? = nil, ipam: String = smallRange
  ) -> PluginCall {
    var call = host.call(
      container, ipam: ipam, beside: key.map { #", "log": \#($0)"# } ?? "")
    call.variables["CNI_LOG"] = variable
    return call
  }

  @Test("tells each step of a call, what it was about, how long it took and how it ended")
  func steps() throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab)
    let path = lab.state.path("cni.log")
    let pod = try Pod("web")
    func ask(_ command: String, _ network: TestNetwork) throws -> PluginOutcome {
      var call = lab.call(network, pod)
      call.variables["CNI_LOG"] = path
      return try lab.ask(command, call)
    }
    let added = try ask("ADD", network)
    try added.succeed()
    #expect(added.log == "")
    let after = try network.after(added)
    try ask("CHECK", after).succeed()
    #expect(try ask("ADD", network).exitCode == 1)
    try ask("DEL", after).succeed()
    let text = try lab.state.text("cni.log") ?? ""
    let lines = text.split(separator: "\n").map(String.init)
    for line in lines {
      // 2026-11-22T01:15:02.123456Z
      #expect(line.utf8.count > 30 && line.dropFirst(26).hasPrefix("Z bridge "), "\(line)")
      #expect(line.contains(" network=net container=web interface=eth0 netns=/"), "\(line)")
      #expect(line.contains("ms ") && line.contains(" took="), "\(line)")
    }
    func count(_ command: String, _ words: String) -> Int {
      lines.count { $0.contains(" bridge \(command) ") && $0.contains(words) }
    }
    for step in [
      "cni0 is there", "is its port", "host-local was asked for ADD", "its addresses and routes",
      "serves the pod's gateways", "is masqueraded", #"the result is complete: [10.1.2.2/24"#,
    ] {
      #expect(count("ADD", step) >= 1, "\(step)")
    }
    #expect(count("ADD", "end=success") == 1)
    #expect(count("CHECK", "end=success") == 1)
    #expect(count("DEL", "host-local was asked for DEL") == 1)
    #expect(count("DEL", "end=success") == 1)
    let failure = try #require(lines.first { $0.contains("end=failure") })
    #expect(failure.contains(" bridge ADD ") && failure.contains(" code=999 error=\""))
    let status = try File.status(of: path)
    #expect(status?.mode == 0o600)
  }

  @Test("is not there unless somebody asks for it, nor where the configuration says off")
  func absent() async throws {
    try await OwnMounts.run(emptying: ["/var/log"]) {
      let host = try HostLocalFixture()
      try host.add(Self.call(host)).succeed()
      try host.add(Self.call(host, "b", key: #""off""#, variable: "/var/log/x.log")).succeed()
      #expect(try Directory.entries(of: "/var/log") == [])
      // The key goes before the variable.
      try host.add(Self.call(host, "c", key: #""/var/log/y.log""#, variable: "/var/log/x.log"))
        .succeed()
      #expect(try Directory.entries(of: "/var/log") == ["y.log"])
    }
  }

  @Test("fails no call where it cannot be written, says so, and opens nothing that is not meant")
  func obstacles() async throws {
    try await OwnMounts.run(emptying: ["/var/log"]) {
      let host = try HostLocalFixture()
      let secret = try host.write("secret", "secret")
      _ = try Shell.run(
        """
        cd /var/log; ln -s \(secret) link; mkfifo fifo; mkdir folder; echo -n two > two; ln two twice
        echo -n mine > open; chmod 0666 open; echo -n his > his; chmod 0600 his; chown 1000 his
        """)
      for (wish, isKey) in [
        ("/var/log/link", true), ("/var/log/fifo", true), ("/var/log/folder", true),
        ("/var/log/open", true), ("/var/log/his", true), ("/var/log/twice", true),
        ("/var/log/../../etc/cni.log", true),
        ("/nowhere/at/all", false), (secret, true), ("relative", false), ("journald", false),
        ("/var/log/none/cni.log", true),
      ] {
        let outcome = host.add(
          Self.call(
            host, key: isKey ? "\"\(wish)\"" : nil, variable: isKey ? nil : wish))
        try outcome.succeed()
        #expect(outcome.log.contains("nothing is logged"), "\(wish)")
        try host.delete(Self.call(host)).succeed()
      }
      #expect(host.add(Self.call(host, key: "7")).log.contains("nothing is logged"))
      #expect(try String(decoding: File.read(secret, limit: 99), as: UTF8.self) == "secret")
      #expect(try String(decoding: File.read("/var/log/open", limit: 99), as: UTF8.self) == "mine")
      #expect(try String(decoding: File.read("/var/log/his", limit: 99), as: UTF8.self) == "his")
      #expect(try String(decoding: File.read("/var/log/two", limit: 99), as: UTF8.self) == "two")
      #expect(try File.status(of: "/etc/cni.log") == nil)
    }
  }

  @Test("keeps to one line whatever it is told, and tells of calls that cannot be read")
  func hostile() async throws {
    try await OwnMounts.run(emptying: ["/var/log"]) {
      let host = try HostLocalFixture()
      var call = Self.call(host, variable: "/var/log/cni.log")
      call.namespace = "/run/x\n2026 bridge ADD \"forged\"\u{1b}[31m"
      try host.add(call).succeed()
      call.configuration = "{\"name\n\": "
      #expect(host.add(call).exitCode == 1)
      let text = String(decoding: try File.read("/var/log/cni.log", limit: 1 << 20), as: UTF8.self)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.last == "")
      #expect(lines.dropLast().allSatisfy { $0.dropFirst(26).hasPrefix("Z host-local ADD ") })
      #expect(text.contains(#"\n2026 bridge ADD \"forged\"\x1b[31m""#))
      #expect(lines.dropLast().last?.contains("end=failure code=6 error=") == true)
    }
  }

  @Test("goes to the journal in its native form, which may be full or gone")
  func journal() async throws {
    try await OwnMounts.run(emptying: ["/run"]) {
      try Directory.create("/run/systemd/journal", mode: 0o755)
      let ear = try JournalEar("/run/systemd/journal/socket")
      let host = try HostLocalFixture()
      try host.add(Self.call(host, variable: "journald")).succeed()
      let entries = ear.hear()
      let last = try #require(entries.last).split(separator: "\n").map(String.init)
      #expect(last.contains("PRIORITY=6"))
      #expect(last.contains("SYSLOG_IDENTIFIER=cni"))
      for field in [
        "CNI_PLUGIN=host-local", "CNI_COMMAND=ADD", "CNI_NETWORK=net", "CNI_CONTAINER=pod-1",
        "CNI_INTERFACE=eth0", "CNI_END=success",
      ] {
        #expect(last.contains(field), "\(field)")
      }
      #expect(last.contains { $0.hasPrefix("MESSAGE=host-local ADD network=net container=pod-1 ") })
      #expect(host.add(Self.call(host, variable: "journald")).exitCode == 1)
      let failure = try #require(ear.hear().last)
      #expect(failure.contains("PRIORITY=3\n") && failure.contains("CNI_CODE=999\n"))
      // Nobody reads any more: what has no room is lost, and nobody waits.
      for pod in 1...40 {
        try host.add(Self.call(host, "p\(pod)", variable: "journald", ipam: Self.wideRange))
          .succeed()
      }
    }
  }

  private static let wideRange = #", "ranges": [[{"subnet": "10.1.0.0/16"}]]"#
}

/// The socket of a journal.
private final class JournalEar {
  private let number: Int32

  init(_ path: String) throws {
    number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let number = number
    try Syscall.check("bind", path) {
      unsafe withUnsafePointer(to: name) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          unsafe bind(number, address, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
  }

  deinit { close(number) }

  /// What has come, an entry each.
  func hear() -> [String] {
    var entries: [String] = []
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe recv(number, &bytes, bytes.count, Int32(MSG_DONTWAIT)),
      count > 0
    {
      entries.append(String(decoding: bytes.prefix(count), as: UTF8.self))
    }
    return entries
  }
}
