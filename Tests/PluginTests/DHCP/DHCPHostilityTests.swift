import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp among enemies", .needsRoot, .serialized)
struct DHCPHostilityTests {
  /// An answer as a rogue server would send it: Ethernet, IP, UDP, BOOTP and any options.
  private func frame(_ options: [UInt8], to transaction: [UInt8], _ client: [UInt8]) -> [UInt8] {
    var message: [UInt8] = [2, 1, 6, 0] + transaction + [0, 0, 0, 0, 0, 0, 0, 0]
    message += [192, 168, 1, 66] + [UInt8](repeating: 0, count: 8) + client
    message += [UInt8](repeating: 0, count: 202) + [99, 130, 83, 99] + options
    let length = message.count + 8
    var packet: [UInt8] = [0x45, 0, UInt8((length + 20) >> 8), UInt8((length + 20) & 0xff)]
    packet += [0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 1, 1, 255, 255, 255, 255]
    let sum = stride(from: 0, to: 20, by: 2)
      .reduce(0) { $0 + Int(packet[$1]) << 8 + Int(packet[$1 + 1]) }
    let folded = ~UInt16((sum & 0xffff) + sum >> 16)
    packet[10] = UInt8(folded >> 8)
    packet[11] = UInt8(folded & 0xff)
    packet += [0, 67, 0, 68, UInt8(length >> 8), UInt8(length & 0xff), 0, 0] + message
    return [UInt8](repeating: 0xff, count: 6) + [2, 0, 0, 0, 0, 9, 8, 0] + packet
  }

  @Test("gets its lease through a storm of damaged answers, with little memory and no crash")
  func storm() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let pod = try lab.pod("one")
    let ear = try lab.host.run { try FrameSocket(0x0800, on: "lan0", patience: DHCPLab.patience) }
    let caller = try lab.adder(pod)
    // What the client has asked, as a rogue on its link sees it.
    let discover = try #require(try ear.next())
    let transaction = Array(discover[46..<50])
    let client = Array(discover[70..<76])
    let offer: [UInt8] = [53, 1, 2, 54, 4, 192, 168, 1, 1]
    var frames: [[UInt8]] = [
      [], [53], [53, 255, 2], offer + [51, 4, 0, 0, 0, 0, 255], offer + [51, 0, 255],
      offer + [52, 1, 3, 255], [53, 1, 6, 54, 4, 192, 168, 1, 1, 255],
      [53, 1, 5, 54, 4, 192, 168, 1, 1, 51, 4, 0, 0, 1, 0, 1, 4, 255, 255, 255, 0, 255],
      [53, 1, 2, 54, 4, 127, 0, 0, 1, 255], [53, 1, 2, 54, 0, 255],
    ].map { frame($0, to: transaction, client) }
    for _ in 0..<2000 {
      var bytes = frame(offer + [51, 4, 0, 0, 1, 0, 121, 9], to: transaction, client)
      for _ in 0..<3 { bytes[.random(in: 14..<bytes.count)] = .random(in: 0...255) }
      // Not one that is a good offer after all: its kind is damaged too.
      bytes[14 + 28 + 240 + 2] = .random(in: 7...255)
      frames.append(Bool.random() ? bytes : Array(bytes.prefix(.random(in: 14..<bytes.count))))
    }
    try lab.host.run {
      for frame in frames where frame.count >= 14 { try FrameSocket.send(frame, by: "lan0") }
    }
    #expect(caller.isRunning)
    #expect(lab.daemon?.isRunning == true)
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    try lab.expectSoon("the caller has its answer") { !caller.isRunning }
    #expect(try caller.said().contains("192.168.1.5/24"))
    #expect(server.isRunning)
    #expect(try lab.daemonPeak() < 65536, "kB at most")
  }

  @Test("gets its IPv6 address through a storm of damaged and foreign answers")
  func stormOverIPv6() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let pod = try lab.pod("one")
    let ear = try lab.host.run { try FrameSocket(0x86dd, on: "lan0", patience: DHCPLab.patience) }
    let caller = try lab.adder(pod, DHCPIPv6Tests.onlyIPv6)
    // What the client has asked, as a rogue on its link sees it: UDP to port 547.
    var solicit: [UInt8] = []
    while solicit.isEmpty {
      let frame = try #require(try ear.next())
      if frame.count > 70, frame[20] == 17, frame[56] == 2, frame[57] == 0x23 { solicit = frame }
    }
    let client = Array(solicit[22..<38])
    let transaction = Array(solicit[63..<66])
    let identifier = Array(solicit[66..<70 + Int(solicit[69])])
    let server: [UInt8] = [0, 2, 0, 6, 0, 1, 0, 1, 6, 6]
    func offer(_ address: [UInt8], _ lifetime: UInt8, _ more: [UInt8] = []) -> [UInt8] {
      let inner = address + [0, 0, 0, lifetime, 0, 0, 0, lifetime] + more
      let association = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, UInt8(inner.count)] + inner
      return [0, 3, 0, UInt8(association.count)] + association
    }
    let address = [0xfd, 0, 0, 1] + [UInt8](repeating: 0, count: 11) + [66]
    let group = [0xff, 2] + [UInt8](repeating: 0, count: 13) + [1]
    let good = offer(address, 100)
    let head: [UInt8] = [2] + transaction
    var messages: [[UInt8]] = [
      [], [2], head, head + identifier, head + [0, 1], head + identifier + server,
      head + identifier + good, head + server + good,
      // Another's answer: by its number, by its name, by what it is.
      [2, transaction[0] ^ 1] + transaction.dropFirst() + identifier + server + good,
      head + [0, 1, 0, 4, 0, 4, 1, 1] + server + good,
      [7] + transaction + identifier + server + good,
      head + identifier + server + offer(group, 100),
      head + identifier + server + offer(address, 0),
      head + identifier + server + offer(address, 100, [0, 13, 0, 2, 0, 4]),
      head + identifier + server + [0, 13, 0, 2, 0, 2] + good,
      head + identifier + server + [0, 3, 255, 255] + good.dropFirst(4),
      head + identifier + [0, 2, 1, 0] + [UInt8](repeating: 1, count: 256) + good,
      // More than is read of one message, so that its last option is cut.
      head + identifier + server + good + [0, 99, 0x7f, 0xff]
        + [UInt8](repeating: 0, count: 0x7fff),
    ]
    for _ in 0..<2000 {
      var bytes = head + identifier + server + good
      for _ in 0..<3 { bytes[.random(in: 4..<bytes.count)] = .random(in: 0...255) }
      // Not one that is a good offer after all.
      bytes[0] = .random(in: 8...255)
      messages.append(Bool.random() ? bytes : Array(bytes.prefix(.random(in: 0..<bytes.count))))
    }
    try lab.host.run {
      let own = try IPAddress("fe80::5eff:fe00:53ff").bytes
      let rogue = try DatagramSocket(from: own, port: 547, onLink: "lan0")
      for message in messages { try rogue.send(message, to: client, port: 546) }
    }
    #expect(caller.isRunning)
    #expect(lab.daemon?.isRunning == true)
    let dnsmasq = try lab.dnsmasq("fd00:1::10,fd00:1::10,64,5m", "--enable-ra")
    try lab.expectSoon("the caller has its answer") { !caller.isRunning }
    #expect(try caller.said().contains("fd00:1::10/64"))
    #expect(try lab.count("DHCPREQUEST(lan0)", in: dnsmasq) == 1)
    #expect(try lab.daemonPeak() < 65536, "kB at most")
  }

  @Test("leads nobody but the pod away by a server's routes, and not even the pod (S11)")
  func routesOfStrangers() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    // Together they cover everything, and are more exact than a default route.
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.9,5m",
      "--dhcp-option-force=121,0.0.0.0/1,192.168.1.66,128.0.0.0/1,192.168.1.66")
    func hostRoutes() throws -> [String] {
      try lab.host.run { try Witness.routes() }.filter { !$0.isOfLinkLocalOrGroup }.map(\.text)
    }
    let before = try hostRoutes()
    for (keys, expected) in [
      ([:] as JSONObject, ["0.0.0.0/1 via 192.168.1.66", "128.0.0.0/1 via 192.168.1.66"]),
      (["ignore": [["option": "classless-static-routes"]]], ["0.0.0.0/0 via 192.168.1.1"]),
    ] {
      let pod = try Pod("pod\(keys.members.count)")
      let call = lab.bridgeCall(pod, keys)
      try lab.ask("ADD", call).succeed()
      let routes = try pod.routes().filter { $0.contains(" via ") }
      #expect(routes.sorted() == expected)
      #expect(try hostRoutes() == before)
      try lab.ask("DEL", call).succeed()
    }
    #expect(server.isRunning)
  }

  @Test("serves others while some connect and say nothing, too much, or nonsense")
  func badCallers() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    var silent: [Held] = []
    for _ in 0..<100 { silent.append(Held(try LocalConnection(to: lab.socket))) }
    for text in [
      "\n", "{}\n", "null\n", "[]\n", "{\"command\":\"ADD\"}\n", "{\"command\":\"VERSION\"}\n",
      "{\"command\":\"DEL\",\"network\":\"../x\",\"container\":\"a\",\"interface\":\"b\"}\n",
      "{\"command\":\"DEL\",\"network\":\"x\",\"container\":\"a/b\",\"interface\":\"b\"}\n",
      "{\"command\":\"ADD\",\"network\":\"x\",\"container\":\"a\",\"interface\":\"b\"}\n",
      "{\"command\":\"ADD\",\"network\":\"x\",\"container\":\"a\",\"interface\":\"b\","
        + "\"namespace\":\"relative\"}\n",
      "{\"command\":\"ADD\",\"network\":\"x\",\"container\":\"a\",\"interface\":\"b\","
        + "\"namespace\":\"/dev/null\"}\n",
      String(repeating: "[", count: 100_000) + "\n",
    ] {
      let caller = try LocalConnection(to: lab.socket)
      _ = try caller.send(Array(text.utf8)[...])
      _ = try Readiness.wait(for: [caller.readiness], timeout: DHCPLab.patience)
      let answer = try caller.receive(limit: 65536) ?? []
      let document = try JSONParser.parse(answer).objectValue
      #expect(document?["code"] != nil, "\(text.prefix(80))")
    }
    // One that never ends is cut off; it cannot fill the daemon's memory.
    let endless = try LocalConnection(to: lab.socket)
    var sent = 0
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65536)
    let isCut = Patience.until(DHCPLab.patience) {
      do throws(SystemError) {
        sent += try endless.send(piece[...])
        return false
      } catch {
        return true
      }
    }
    #expect(isCut && sent < 16 << 20)
    let pod = try lab.pod("one")
    try lab.add(pod).succeed()
    try lab.delete(pod).succeed()
    #expect(try lab.leases() == [])
    #expect(server.isRunning)
    // The silent are sent away in time.
    try lab.expectSoon("they are sent away") {
      try silent.allSatisfy { try $0.connection.receive(limit: 10)?.isEmpty == true }
    }
  }

  @Test("takes nothing from other users, even where the mode lets them in (S16, CVE-2020-15257)")
  func otherUser() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    _ = try lab.state.write("x", "")
    for path in [lab.state.path("."), lab.socket] {
      let mode = path == lab.socket ? "0666" : "0755"
      _ = try ChildProcess.run(
        "/usr/bin/chmod", arguments: [mode, path], environment: .current())
    }
    let ran = try ChildProcess.run(
      "/usr/bin/setpriv",
      arguments: [
        "--reuid=65534", "--clear-groups", "/usr/bin/perl", "-MSocket", "-e",
        "$SIG{PIPE}='IGNORE';socket(S,AF_UNIX,SOCK_STREAM,0); connect(S,sockaddr_un($ARGV[0])) or die $!;"
          + "send(S,\"{\\\"command\\\":\\\"STATUS\\\",\\\"network\\\":\\\"x\\\"}\\n\",0); $r=<S>;"
          + "print defined $r ? $r : 'cut off'",
        lab.socket,
      ], environment: .current(), limits: ChildProcess.Limits(time: .seconds(60)))
    #expect(String(decoding: ran.output, as: UTF8.self) == "cut off")
    #expect(try lab.log().contains("refused a connection of user 65534"))
    try lab.status().succeed()
  }

  @Test("refuses a directory for leases that others can write to, and flags that make no sense")
  func badStart() throws {
    let directory = try TemporaryDirectory()
    let open = directory.path("open")
    try Directory.create(open)
    _ = try ChildProcess.run(
      "/usr/bin/chmod", arguments: ["0777", open], environment: .current())
    func start(_ flags: [String]) throws -> (ChildProcess.End, String) {
      let ran = try ChildProcess.run(
        try BuiltProgram.cni(),
        arguments: ["dhcp", "daemon", "-socketpath", directory.path("s")] + flags,
        environment: .current(), limits: ChildProcess.Limits(time: .seconds(60)))
      return (ran.end, String(decoding: ran.diagnostics, as: UTF8.self))
    }
    let refused = try start(["-leasedir", open])
    #expect(refused.0 == .exited(1) && refused.1.contains(open))
    for (flags, sentence) in [
      (["-nonsense"], "flag provided but not defined: -nonsense"),
      (["-nonsense=1"], "flag provided but not defined: -nonsense"),
      (["-timeout"], "flag needs an argument: -timeout"),
      (["-timeout", "10"], "invalid value \"10\" for flag -timeout"),
      (["-timeout", "0s"], "invalid value \"0s\" for flag -timeout"),
      (["-resendmax=-1s"], "invalid value \"-1s\" for flag -resendmax"),
      (["-broadcast=perhaps"], "invalid boolean value \"perhaps\" for -broadcast"),
      (["-pidfile", "x"], "Error writing pidfile \"x\": path not absolute"),
      (["-leasedir", "x"], "\"x\" is not absolute"), (["word"], "unexpected argument: word"),
    ] {
      let answer = try start(flags)
      #expect(answer.0 == .exited(2) && answer.1.contains(sentence), "\(answer)")
    }
    #expect(try File.status(of: directory.path("s")) == nil)
  }

  @Test("takes the one socket that systemd hands over, and asks for answers to all if told to")
  func activation() throws {
    let lab = try DHCPLab()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let daemon = try lab.host.run {
      try BackgroundProgram(
        "/usr/bin/systemd-socket-activate",
        [
          "--listen=\(lab.socket)", try BuiltProgram.cni(), "dhcp", "daemon", "-broadcast",
          "-leasedir", lab.leaseDirectory,
        ], log: lab.state.path("daemon.log"))
    }
    try lab.expectSoon("somebody listens") { try File.status(of: lab.socket) != nil }
    let pod = try lab.pod("one")
    let ear = try lab.host.run { try FrameSocket(0x0800, on: "lan0", patience: DHCPLab.patience) }
    try lab.add(pod).succeed()
    let discover = try #require(try ear.next())
    #expect(discover[52] == 0x80)
    daemon.end()
    // It is systemd's to remove.
    #expect(try File.status(of: lab.socket) != nil)
    #expect(server.isRunning)
  }
}

/// Keeps a connection open.
private final class Held {
  let connection: LocalConnection
  init(_ connection: consuming LocalConnection) { self.connection = connection }
}
