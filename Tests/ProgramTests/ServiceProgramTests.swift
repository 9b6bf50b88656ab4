import JSON
import Linux
import TestSupport
import Testing

@Suite("The built program as plugin service", .needsRoot)
struct ServiceProgramTests {
  @Test("adds and takes out a pod as a runtime calls it, bridge first and last")
  func asARuntime() throws {
    let host = try PluginHost()
    let state = try TemporaryDirectory()
    let pod = try FreshNamespace()
    try state.write(
      "services.d/web.json",
      """
      {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
       "spec": {"clusterIP": "10.96.0.7", "selector": {"app": "web"}, "ports": [{"port": 80}]}}
      """)
    let attachment = TestAttachment(container: "one", namespace: pod.path)
    let bridge: JSONObject = [
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "isGateway": true,
      "ipam": [
        "type": "host-local", "ranges": [[["subnet": "10.1.2.0/24"]]],
        "dataDir": .string(host.store),
      ],
    ]
    let added = try host.call("ADD", attachment, bridge)
    #expect(added.isSuccess, "\(added.output)")
    let service: JSONObject = [
      "cniVersion": "1.0.0", "name": "net", "type": "service",
      "servicesDir": .string(state.path("services.d")),
      "settingsFile": .string(state.path("services.json")),
      "runDir": .string(state.path("run")), "stateDir": .string(state.path("state")),
      "args": ["cni": ["labels": [["key": "app", "value": "web"]]]],
      "prevResult": try JSONParser.parse(added.output),
    ]
    let joined = try host.call("ADD", attachment, service)
    #expect(joined.isSuccess, "\(joined.output)")
    #expect(try JSONParser.parse(joined.output) == JSONParser.parse(added.output))
    func endpoints() throws -> String {
      try host.run {
        let ran = try ChildProcess.run(
          "/usr/sbin/nft", arguments: ["list", "map", "ip", "swift_cni_services", "endpoints"],
          environment: .current())
        return String(decoding: ran.output, as: UTF8.self)
      }
    }
    #expect(try endpoints().contains("10.96.0.7 . tcp . 80"))
    #expect(try endpoints().contains("10.1.2.2 . 80"))
    let checked = try host.call("CHECK", attachment, service)
    #expect(checked.isSuccess, "\(checked.output)")
    // The way to services, signed as ours.
    let routes = try host.run {
      String(
        decoding: try ChildProcess.run(
          "/usr/sbin/ip", arguments: ["route", "show", "proto", "196"], environment: .current()
        ).output, as: UTF8.self)
    }
    #expect(routes.hasPrefix("10.96.0.0/16 dev cni0"), "\(routes)")
    for _ in 0..<2 {
      let left = try host.call("DEL", attachment, service)
      #expect(left.isSuccess, "\(left.output)")
    }
    #expect(try endpoints().contains("10.96.0.7") == false)
    #expect(try host.call("DEL", attachment, bridge).isSuccess)
  }

  @Test("leaves an address whose it was if the kernel does not let it be given to another")
  func refusedClaim() throws {
    try SystemCalls.requireTracer()
    let plugins = try InstalledPlugins()
    let state = try TemporaryDirectory()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    try pod.run { () throws in
      _ = try Shell.run(
        "ip link add eth0 type veth peer name eth1; ip addr add 10.1.2.2/24 dev eth0")
    }
    var call = PluginCall(
      "service",
      """
      {"cniVersion": "1.0.0", "name": "net", "type": "service",
       "servicesDir": "\(state.path("services.d"))", "settingsFile": "\(state.path("none.json"))",
       "runDir": "\(state.path("run"))", "stateDir": "\(state.path("state"))",
       "prevResult": {"cniVersion": "1.0.0",
        "interfaces": [{"name": "eth0", "sandbox": "\(pod.path)"}],
        "ips": [{"address": "10.1.2.2/24", "interface": 0}]}}
      """, namespace: pod.path)
    func holder() throws -> String? {
      try File.target(ofLink: state.path("run/services/by-address/10.1.2.2"))
    }
    let first = try host.run { try plugins.ask("ADD", call) }
    #expect(first.exitCode == 0, "\(first)")
    let known = try #require(try holder())
    #expect(known.hasSuffix("/pod-1-eth0.json"))
    call.container = "pod-2"
    let trace = state.path("trace")
    // The first one finds that the name is taken.
    let refused = try host.run {
      try plugins.ask(
        "ADD", call,
        shell: "exec strace -qq -o \(trace) -e inject=symlink:error=ENOSPC:when=2 \"$PLUGIN\"")
    }
    #expect(try state.text("trace")?.contains("(INJECTED)") == true)
    #expect(refused.exitCode == 1)
    #expect(try holder() == known)
    #expect(try host.run { try plugins.ask("ADD", call) }.exitCode == 0)
    #expect(try holder()?.hasSuffix("/pod-2-eth0.json") == true)
  }
}
