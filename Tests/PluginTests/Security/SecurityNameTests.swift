import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

extension SecurityTests {
  @Suite("Names from outside, that lead elsewhere")
  struct Names {
    @Test("run nothing beyond CNI_PATH as a plugin's type (CVE-2021-20206, P04)")
    func types() throws {
      let lab = try PluginLab()
      let network = lab.network("bridge", ["isGateway": true])
      let before = try lab.settled(network.with(["ipam": lab.hostLocal("10.1.2.0/24")]))
      // Each of these names would find it, from one directory of CNI_PATH or another.
      try lab.state.write("trap", "#!/bin/sh\n: > \(lab.state.path("sprung"))\n", mode: 0o755)
      try Directory.create(lab.state.path("first/inner"))
      let trap = lab.state.path("trap")
      let tally = GateTally()
      for type in [
        "../trap", "inner/../../trap", "./../trap", trap, "/bin/true", "a/../b", "..", ".", "/", "",
        "../trap\n", "\n../trap", "../trap\u{0}", "trap/", "%2e%2e/trap", "..\\trap",
        String(repeating: "a", count: 300), "host-local/../../trap",
      ] {
        let pod = try Pod("one")
        let empty = try pod.picture()
        let asked = network.with(["ipam": ["type": .string(type), "subnet": "10.1.2.0/24"]])
        for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
          let outcome = try lab.ask(command, lab.call(asked, pod))
          let isSprung = try File.status(of: lab.state.path("sprung")) != nil
          // Without a name there is no IPAM plugin, which bridge can do without.
          let mayPass = type.isEmpty || command == "DEL" && outcome.exitCode == 0
          tally.point(!isSprung && (outcome.exitCode != 0 || mayPass), "\(command) of \(type)")
        }
        if type.isEmpty { try lab.delete(asked, pod).succeed() }
        #expect(Witness.difference(from: empty, to: try pod.picture()) == [])
        try lab.expectUnchanged(since: before)
      }
      try GateReport.tell(
        "plugin types that lead out of CNI_PATH", [.writeOutside], ours: tally.figures)
    }

    @Test("make no file beyond the state folders as network or container (P11)")
    func files() throws {
      let lab = try PluginLab()
      let network = lab.network("ptp", ipam: lab.hostLocal("10.1.2.0/24"))
      let before = try lab.settled(network)
      let tally = GateTally()
      let names = [
        "../escape", "../../escape", "a/b", "..", ".", "", "/escape", "a\u{0}b", "a\nb", "a b",
        "a;b", "$(b)", "`b`", "a'b", "a\"b", "ä", "-a", "_a", "%s",
      ]
      for name in names {
        for isNetwork in [true, false] {
          let pod = try Pod("one")
          var call = lab.call(network.with(isNetwork ? ["name": .string(name)] : [:]), pod)
          if !isNetwork { call.container = name }
          let files = try Self.files(below: lab.state.path)
          for command in ["ADD", "DEL"] {
            let outcome = try lab.ask(command, call)
            tally.point(outcome.exitCode != 0, "\(command) of \(name)")
          }
          tally.point(try Self.files(below: lab.state.path) == files, "files of \(name)")
        }
      }
      try lab.expectUnchanged(since: before)
      try GateReport.tell(
        "networks and containers whose names lead elsewhere", [.writeOutside], ours: tally.figures)
    }

    @Test("are an interface's exact name or refused, and change no setting of all (P13)")
    func interfaces() throws {
      let tally = GateTally()
      for plugin in PairPlugin.allCases {
        let lab = try PluginLab()
        let network = plugin.network(in: lab)
        let before = try lab.settled(network)
        for name in [
          "eth%d", "../eth0", "a/b", "a b", "a\nb", "0123456789abcdef", "", ".", "..", "a:b", "lo",
          "all", "default", "a\u{0}b",
        ] {
          let pod = try Pod("one")
          let empty = try pod.picture() + Self.settings(of: pod)
          var call = lab.call(network, pod)
          call.interface = name
          let outcome = try lab.ask("ADD", call)
          tally.point(outcome.exitCode != 0, "\(plugin) made \(name)")
          let left = Witness.difference(from: empty, to: try pod.picture() + Self.settings(of: pod))
          tally.point(left.isEmpty, "\(plugin) \(name): \(left)")
          try lab.expectUnchanged(since: before)
        }
      }
      // A bridge is the host's, and so are the settings that bear its name.
      for name in ["all", "default", "../all", "a/b", "%d"] {
        let lab = try PluginLab()
        let before = try lab.picture() + Self.settings(of: lab)
        let network = lab.network(
          "bridge", ["bridge": .string(name), "isGateway": true],
          ipam: lab.hostLocal("10.1.2.0/24"))
        let outcome = try lab.add(network, try Pod("one"))
        tally.point(outcome.exitCode != 0, "bridge \(name)")
        let left = Witness.difference(from: before, to: try lab.picture() + Self.settings(of: lab))
        tally.point(left.isEmpty, "bridge \(name): \(left)")
      }
      try GateReport.tell(
        "interface names that mean others", [.writeOutside, .residue], ours: tally.figures)
    }

    private static func settings(of pod: Pod) throws -> [String] { try pod.run(settings) }

    private static func settings(of lab: PluginLab) throws -> [String] {
      try lab.host.run(settings)
    }

    private static func settings() throws -> [String] {
      try ["all", "default", "lo"].flatMap { name in
        try ["accept_ra", "accept_dad", "disable_ipv6", "keep_addr_on_down", "ndisc_notify"].map {
          "\(name) \($0) \(try Sysctl.read(["net", "ipv6", "conf", name, $0]))"
        }
      }
    }

    private static func files(below directory: String) throws -> [String] {
      guard try File.status(of: directory)?.kind == .directory else { return [directory] }
      return try Directory.entries(of: directory).flatMap { try files(below: "\(directory)/\($0)") }
        .filter { !$0.contains("/.swift-cni/") }
    }
  }
}
