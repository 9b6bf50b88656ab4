import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The plugin service", .needsRoot)
struct ServiceChainTests {
  @Test(
    "lets all pods that a service selects answer for it, to pods and to the host, until they go",
    arguments: Traffic.Transport.allCases, [0, 1])
  func reaches(_ transport: Traffic.Transport, _ place: Int) throws {
    let lab = try ServiceChainLab()
    let client = try lab.add("client", app: "none")
    let one = try lab.add("one")
    let two = try lab.add("two")
    func heard(
      _ speaker: borrowing FreshNamespace, _ pods: [ServicePod], times: Int = 40
    ) throws -> [String: Set<String>] {
      try lab.heard(transport, place, from: speaker, by: pods, times: times)
    }
    // Each hears the client's own address.
    let source: Set = [client.addresses[place]]
    #expect(try heard(client.pod.namespace, [one, two]) == ["one": source, "two": source])
    #expect(Set(try heard(lab.lab.host, [one, two]).keys) == ["one", "two"])

    try lab.delete(one)
    #expect(try heard(client.pod.namespace, [two], times: 8) == ["two": source])
    #expect(try heard(client.pod.namespace, [one], times: 4) == [:])
    try lab.delete(two)
    #expect(try heard(client.pod.namespace, [one, two], times: 2) == [:])
    #expect(try heard(lab.lab.host, [one, two], times: 2) == [:])
    try lab.delete(client)
    #expect(try lab.endpointFiles() == [])
  }

  @Test("passes the previous result on, and leaves nothing behind but empty tables")
  func passesOn() throws {
    let lab = try ServiceChainLab()
    let first = try lab.add("first")
    try lab.delete(first)
    let before = try lab.lab.picture()
    let pod = try lab.attach("one")
    let outcome = try lab.lab.add(pod.network, pod.pod)
    #expect(try outcome.document() == pod.network.document["prevResult"]?.objectValue)
    try lab.lab.check(pod.network, pod.pod).succeed()
    try lab.delete(pod)
    try lab.lab.delete(pod.network, pod.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
    #expect(try lab.endpointFiles() == [])
  }

  @Test("remembers the addresses that it gives out where it is told to")
  func givenOut() throws {
    let lab = try ServiceChainLab()
    try lab.lab.state.write(
      "etc/services.d/any.json",
      """
      {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "any"},
       "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
      """)
    _ = try lab.add("one")
    let given = try #require(try lab.lab.state.text("var/allocations.json"))
    #expect(given.contains("default/any"), "\(given)")
  }

  @Test("applies a definition that changes, goes or is bad with the next pod")
  func live() throws {
    let lab = try ServiceChainLab()
    let one = try lab.add("one")
    try lab.define(port: 8080)
    try lab.lab.state.write("etc/services.d/zz.json", #"{"kind": "Service", "apiVersion": "v1"}"#)
    let two = try lab.attach("two")
    let outcome = try lab.lab.add(two.network, two.pod)
    try outcome.succeed()
    #expect(outcome.log.contains("zz.json: Service: metadata: is missing"), "\(outcome.log)")
    let client = try lab.add("client", app: "none")
    #expect(
      try lab.heard(
        .tcp, 0, from: client.pod.namespace, by: [one, two], port: 8080, times: 40
      ).count == 2)
    #expect(try lab.heard(.tcp, 0, from: client.pod.namespace, by: [one, two]) == [:])
    try File.remove(lab.lab.state.path("etc/services.d/web4.json"))
    let three = try lab.add("three")
    #expect(
      try lab.heard(.tcp, 0, from: client.pod.namespace, by: [one, two], port: 8080) == [:])
    #expect(
      try lab.heard(.tcp, 1, from: client.pod.namespace, by: [one, two, three], port: 8080)
        .count == 1)
    for pod in [one, two, three, client] { try lab.delete(pod) }
    #expect(try lab.endpointFiles() == [])
  }

  @Test("needs no definition, no settings, no namespace and no previous result for DEL")
  func deleteWithNothing() throws {
    let lab = try ServiceChainLab()
    let one = try lab.add("one")
    let two = try lab.add("two")
    try File.remove(lab.lab.state.path("etc/services.d/web4.json"))
    try lab.lab.state.write("etc/services.json", "{")
    let network = one.network.with(["prevResult": .null, "args": .null])
    var call = lab.lab.call(network, one.pod)
    call.namespace = nil
    for _ in 0..<2 { try lab.lab.ask("DEL", call).succeed() }
    #expect(try lab.endpointFiles() == ["net/two-eth0.json"])
    #expect(
      try lab.heard(.tcp, 0, from: two.pod.namespace, by: [one, two], times: 6).map(\.key) == [
        "two"
      ])
    try lab.lab.delete(two.network, two.pod).succeed()
    #expect(try lab.heard(.tcp, 0, from: lab.lab.host, by: [one, two], times: 2) == [:])
    // And where nothing has ever been.
    let fresh = try ServiceChainLab()
    let before = try fresh.lab.picture()
    try fresh.lab.delete(fresh.lab.network("service", fresh.keys), try Pod("none")).succeed()
    try fresh.lab.expectUnchanged(since: before)
    #expect(try File.status(of: fresh.lab.state.path("run")) == nil)
  }

  @Test("makes all anew after a reboot, a flush, and somebody who died half-way")
  func rebuilds() throws {
    let lab = try ServiceChainLab()
    let one = try lab.add("one")
    // A flush.
    try lab.lab.host.run { try TestProgram.nft("flush ruleset") }
    #expect(lab.isMissing(one))
    let two = try lab.add("two")
    let client = try lab.add("client", app: "none")
    #expect(
      try lab.heard(.udp, 0, from: client.pod.namespace, by: [one, two], times: 40).count == 2)
    // Between the batch and the files.
    try lab.lab.state.write("run/services/unfinished", "", mode: 0o600)
    try lab.lab.host.run {
      try TestProgram.nft("flush set ip swift_cni_services cluster")
    }
    let three = try lab.add("three")
    #expect(
      try lab.heard(.udp, 0, from: client.pod.namespace, by: [one, two, three], times: 60).count
        == 3)
    #expect(try File.status(of: lab.lab.state.path("run/services/unfinished")) == nil)
    // A reboot: the kernel and /run are empty.
    try lab.lab.host.run { try TestProgram.nft("flush ruleset") }
    lab.lab.state.remove("run")
    let four = try lab.add("four")
    #expect(
      try lab.heard(.tcp, 1, from: client.pod.namespace, by: [one, two, three, four], times: 10)
        .map(\.key) == ["four"])
    // Those from before have no file any more.
    for pod in [one, two, three, four, client] { try lab.delete(pod) }
    #expect(try lab.endpointFiles() == [])
  }

  @Test("takes back what it did when the kernel refuses")
  func undo() throws {
    let lab = try ServiceChainLab()
    let one = try lab.add("one")
    let two = try lab.attach("two")
    // A mark makes all be made anew, for which there are no settings.
    try lab.lab.state.write("run/services/unfinished", "", mode: 0o600)
    try lab.lab.state.write("etc/services.json", "[]")
    try File.remove(lab.lab.state.path("run/services/settings.json"))
    let before = try lab.lab.picture()
    let outcome = try lab.lab.add(two.network, two.pod)
    #expect(outcome.error?.code == .invalidConfiguration)
    #expect(outcome.error?.message.contains("services.json") == true)
    try lab.lab.expectUnchanged(since: before)
    #expect(try lab.endpointFiles() == ["net/one-eth0.json"])
    #expect(
      try lab.heard(.tcp, 0, from: two.pod.namespace, by: [one, two], times: 6).map(\.key) == [
        "one"
      ])
  }

  @Test("finds by CHECK what is missing in files and kernel, and changes nothing")
  func check() throws {
    let lab = try ServiceChainLab()
    let one = try lab.add("one")
    try lab.lab.check(one.network, one.pod).succeed()
    try lab.lab.host.run {
      try TestProgram.nft("flush map ip swift_cni_services endpoints")
    }
    let before = try lab.lab.picture()
    let fault = try lab.lab.check(one.network, one.pod).error
    #expect(fault?.message.contains("endpoints") == true, "\(String(describing: fault))")
    try lab.lab.expectUnchanged(since: before)
    try lab.lab.host.run { try TestProgram.nft("flush ruleset") }
    #expect(lab.isMissing(one))
    try lab.lab.delete(one.network, one.pod).succeed()
    #expect(
      try lab.lab.check(one.network, one.pod).error?.message.contains("endpoint file") == true)
  }

  @Test("takes out by GC those who are gone, of this network alone")
  func garbage() throws {
    let lab = try ServiceChainLab()
    let one = try lab.add("one")
    let two = try lab.add("two")
    let other = try lab.attach("other")
    let elsewhere = other.network.with(["name": "elsewhere"])
    try lab.lab.add(elsewhere, other.pod).succeed()
    let network = lab.lab.network("service", lab.keys)
    func collect(_ keys: JSONObject) throws {
      let call = PluginCall("service", network.with(keys).text)
      try lab.lab.ask("GC", call).succeed()
    }
    try collect([
      "cni.dev/valid-attachments": [["containerID": "two", "ifname": "eth0"]]
    ])
    #expect(try lab.endpointFiles() == ["elsewhere/other-eth0.json", "net/two-eth0.json"])
    #expect(
      Set(
        try lab.heard(.tcp, 0, from: lab.lab.host, by: [one, two, other], times: 60).keys)
        == ["two", "other"])
    try collect(["cni.dev/valid-attachments": []])
    #expect(try lab.endpointFiles() == ["elsewhere/other-eth0.json"])
  }

  @Test("says by STATUS what is in the way")
  func status() throws {
    let lab = try ServiceChainLab()
    let network = lab.lab.network("service", lab.keys)
    try lab.lab.ask("STATUS", PluginCall("service", network.text)).succeed()
    try lab.lab.state.write("etc/services.json", #"{"nodePort": "1-2"}"#)
    let fault = try lab.lab.ask("STATUS", PluginCall("service", network.text)).error
    #expect(fault?.code == .notReady)
    #expect(fault?.message.contains("nodePort") == true)
    let missing = network.with(["runDir": "/proc/none"])
    #expect(
      try lab.lab.ask("STATUS", PluginCall("service", missing.text)).error?.code == .notReady)
  }

  /// What a runtime says about a pod, and what becomes of it.
  struct Said: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var keys: JSONObject = [:]
    var arguments: String?
    var namespace = "default"
    let labels: [String: String]
  }

  @Test(
    "knows a pod by what its runtime says",
    arguments: [
      Said(
        testDescription: "Kubernetes",
        keys: [
          "runtimeConfig": [
            "io.kubernetes.cri.pod-annotations": [
              "swift-cni.dev/labels": "app=web", "example.com/other": "x",
            ]
          ]
        ],
        arguments: "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1;K8S_POD_UID=u",
        namespace: "shop", labels: ["app": "web", "swift-cni.dev/pod": "web-1"]),
      Said(
        testDescription: "Nomad",
        arguments: "NOMAD_NAMESPACE=prod;NOMAD_JOB_ID=shop;NOMAD_GROUP_NAME=web;NOMAD_ALLOC_ID=7f",
        namespace: "prod",
        labels: [
          "swift-cni.dev/nomad-job": "shop", "swift-cni.dev/nomad-group": "web",
          "swift-cni.dev/pod": "7f",
        ]),
      Said(
        testDescription: "a list with labels",
        keys: ["namespace": "lab", "labels": ["tier": "front"]],
        arguments: "IP=10.1.2.9", namespace: "lab", labels: ["tier": "front"]),
      Said(
        testDescription: "labels by args", keys: ["args": ["cni": ["labels": ["app": "api"]]]],
        labels: ["app": "api"]),
      Said(testDescription: "nobody", labels: [:]),
    ])
  func identity(_ said: Said) throws {
    let lab = try ServiceChainLab()
    let pod = try Pod("one")
    let added = try lab.lab.add(lab.bridge, pod)
    var network = try lab.lab.network("service", lab.keys).after(added).with(said.keys)
    network.arguments = said.arguments
    try lab.lab.add(network, pod).succeed()
    let file = try #require(
      try JSONParser.parse(try lab.lab.state.text("run/endpoints/net/one-eth0.json") ?? "")
        .objectValue)
    #expect(file["namespace"]?.textValue == said.namespace)
    var labels = said.labels
    labels["swift-cni.dev/network"] = "net"
    labels["swift-cni.dev/container"] = "one"
    let found = file["labels"]?.objectValue?.members ?? []
    #expect(Dictionary(found.map { ($0.key, $0.value.textValue ?? "") }) { $1 } == labels)
    #expect(file["addresses"]?.listValue?.count == 2)
  }

  @Test(
    "refuses what it cannot read, and changes nothing",
    arguments: [
      ["servicesDir": "etc"], ["runDir": 7], ["labels": ["app": "a b"]],
      ["labels": ["swift-cni.dev/network": "other"]], ["args": ["cni": ["labels": "app=web"]]],
      ["args": ["cni": ["swift-cni.dev/ports": "http=0"]]], ["prevResult": .null],
    ] as [JSONObject])
  func refused(_ keys: JSONObject) throws {
    let lab = try ServiceChainLab()
    let pod = try lab.attach("one")
    let before = try lab.lab.picture()
    let outcome = try lab.lab.add(pod.network.with(keys), pod.pod)
    #expect(outcome.error?.code == .invalidConfiguration)
    try lab.lab.expectUnchanged(since: before)
    #expect(try lab.endpointFiles() == [])
    // A pod must be able to go whatever its configuration says, as long as the place can be found.
    if keys["servicesDir"] == nil, keys["runDir"] == nil {
      try lab.lab.delete(pod.network.with(keys), pod.pod).succeed()
    }
  }
}

extension ServiceChainLab {
  /// Whether CHECK misses the tables.
  func isMissing(_ pod: ServicePod) -> Bool {
    do {
      return try lab.check(pod.network, pod.pod).error?.message.contains("missing") == true
    } catch {
      return false
    }
  }
}
