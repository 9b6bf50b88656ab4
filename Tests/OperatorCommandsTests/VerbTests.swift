import ArgumentParser
import JSON
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("The operator's verbs")
struct VerbTests {
  @Test("add gives an interface to a namespace, prints the result and remembers it", .needsRoot)
  func add() throws {
    let node = try Node()
    let pod = try NamedNamespace()
    let id = AttachmentOptions.containerID(for: pod.path)
    try node.run(["add", "pods", pod.path], environment: ["CNI_ARGS": "IP=10.1.2.3"])
    #expect(try node.log == ["ADD \(id) eth0 \(pod.path) [IP=10.1.2.3]"])
    let printed = try JSONParser.parse(node.output()).objectValue
    #expect(printed?["cniVersion"] == "1.1.0")
    #expect(printed?["ips"]?.listValue?.count == 1)
    let names = try Directory.entries(of: node.directory.path("state/results"))
    #expect(names == ["pods-\(id)-eth0"])
  }

  @Test("del uses what was remembered, and works without the namespace", .needsRoot)
  func del() throws {
    let node = try Node()
    var path = ""
    do {
      let pod = try NamedNamespace()
      path = pod.path
      try node.run(
        ["add", "pods", path, "--interface", "eth7"],
        environment: ["CNI_ARGS": "IP=10.1.2.3", "CAP_ARGS": #"{"mac":"02:00:00:00:00:01"}"#])
    }
    let id = AttachmentOptions.containerID(for: path)
    try node.run(["del", "pods", "--container", id], environment: ["CNI_IFNAME": "eth7"])
    #expect(try node.log.last == "DEL \(id) eth7 \(path) [IP=10.1.2.3]")
    let input = try #require(try node.directory.text("input"))
    #expect(input.contains(#""runtimeConfig":{"mac":"02:00:00:00:00:01"}"#))
    #expect(input.contains(#""prevResult":{"#))
    #expect(try Directory.entries(of: node.directory.path("state/results")) == [])
    try node.run(["del", "pods", path])
  }

  @Test("add does not reuse the wishes of an earlier interface", .needsRoot)
  func freshWishes() throws {
    let node = try Node()
    let pod = try NamedNamespace()
    try node.run(["add", "pods", pod.path], environment: ["CNI_ARGS": "IP=10.1.2.3"])
    try node.run(["add", "pods", pod.path])
    #expect(try node.log.last?.hasSuffix("[]") == true)
  }

  @Test("add tells labels to plugins that ask for them, and refuses others", .needsRoot)
  func labels() throws {
    let node = try Node()
    let pod = try NamedNamespace()
    let add = ["add", "pods", pod.path, "--label", "app=web", "--label", "tier=front"]
    #expect {
      try node.run(add)
    } throws: {
      "\($0)".contains("no plugin of network pods is told labels")
    }
    try node.directory.write(
      "net.d/10-pods.conflist",
      """
      {"cniVersion": "1.1.0", "name": "pods", "plugins": [
        {"type": "fake", "capabilities": {"io.kubernetes.cri.pod-annotations": true}}]}
      """)
    for wrong in ["app", "app web=x", "swift-cni.dev/pod=x"] {
      #expect(throws: OperatorFailure.self, "\(wrong)") {
        try node.run(["add", "pods", pod.path, "--label", wrong])
      }
    }
    #expect(try node.log == [])
    try node.run(
      add,
      environment: [
        "CAP_ARGS":
          #"{"io.kubernetes.cri.pod-annotations": {"a": "b", "swift-cni.dev/labels": "x=y"}}"#
      ])
    let input = try #require(try node.directory.text("input"))
    #expect(input.contains(#""a":"b""#))
    #expect(input.contains(#""swift-cni.dev/labels":"x=y,app=web,tier=front""#))
  }

  @Test("check tells what is missing", .needsRoot)
  func check() throws {
    let node = try Node()
    let pod = try NamedNamespace()
    try node.run(["add", "pods", pod.path])
    try node.run(["check", "pods", pod.path])
    try node.directory.write("fail", #"{"code": 999, "msg": "the link is gone"}"#)
    #expect {
      try node.run(["check", "pods", pod.path])
    } throws: {
      "\($0)".contains("the link is gone")
    }
  }

  @Test("status tells the code, and that a plugin is missing")
  func status() throws {
    let node = try Node()
    try node.run(["status", "pods"])
    try node.directory.write("fail", #"{"code": 50, "msg": "the pool is full"}"#)
    #expect {
      try node.run(["status", "pods", "/ignored"])
    } throws: {
      "\($0)" == "pods is not ready (code 50): the pool is full"
    }
    try File.remove(node.directory.path("bin/fake"))
    #expect {
      try node.run(["status", "pods"])
    } throws: {
      "\($0)".contains(#"failed to find plugin "fake""#)
    }
  }

  @Test("gc keeps the living and removes the rest; all removes everybody", .needsRoot)
  func gc() throws {
    let node = try Node()
    let living = try NamedNamespace()
    do {
      let dying = try NamedNamespace()
      try node.run(["add", "pods", dying.path, "--container", "dying"])
    }
    try node.run(["add", "pods", living.path, "--container", "living"])
    _ = node.output()
    try node.run(["gc", "pods"])
    #expect(node.output() == "removed eth0 of dying")
    #expect(
      try node.directory.text("input")?.contains(
        #""cni.dev/valid-attachments":[{"containerID":"living","ifname":"eth0"}]"#) == true)
    try node.run(["gc", "--all", "pods", living.path])
    #expect(node.output() == "removed eth0 of living")
    #expect(
      try node.directory.text("input")?.contains(#""cni.dev/valid-attachments":[]"#) == true)
  }

  @Test("gc removes nothing while it cannot read who is alive")
  func gcIsCautious() throws {
    let node = try Node()
    try node.directory.write("state/results/pods-x-eth0", "{")
    #expect(throws: OperatorFailure.self) { try node.run(["gc", "pods"]) }
    #expect(try node.log == [])
  }

  struct Refusal: CustomTestStringConvertible {
    let words: [String]
    var environment: [String: String] = [:]
    let reason: String
    var testDescription: String { words.joined(separator: " ") }
  }

  @Test(
    "are refused with a reason, and nothing is run",
    arguments: [
      Refusal(
        words: ["add", "none", "/x"], reason: #"no net configuration with name "none""#),
      Refusal(words: ["add", "pods", "/no/such"], reason: "Make one with: ip netns add NAME"),
      Refusal(words: ["add", "pods", "/etc/passwd"], reason: "It must be a network namespace"),
      Refusal(
        words: ["del", "pods", "/x"], environment: ["CNI_ARGS": "IP"],
        reason: #"invalid CNI_ARGS pair "IP""#),
      Refusal(
        words: ["del", "pods", "/x"], environment: ["CAP_ARGS": "[]"],
        reason: "CAP_ARGS is no JSON object"),
      Refusal(
        words: ["del", "pods", "/x"], environment: ["CNI_IFNAME": "a/b"],
        reason: #""a/b" is no name for an interface"#),
      Refusal(
        words: ["del", "pods", "/x", "--container", "../x"],
        reason: "invalid characters in containerID"),
    ])
  func refusals(_ example: Refusal) throws {
    let node = try Node()
    #expect {
      try node.run(example.words, environment: example.environment)
    } throws: {
      "\($0)".contains(example.reason)
    }
    #expect(try node.log == [])
  }

  @Test("tell a broken list and go on")
  func brokenList() throws {
    let node = try Node()
    let broken = try node.directory.write("net.d/00-broken.conflist", "{")
    try node.run(["status", "pods"])
    #expect(node.warnings().contains { $0.contains(broken) })
  }

  @Test(
    "misunderstood end with status 64",
    arguments: [["add"], ["add", "pods"], ["list", "--no-such-flag"], ["gc"]])
  func usage(words: [String]) {
    #expect {
      _ = try OperatorTool.parseAsRoot(words)
    } throws: {
      OperatorTool.exitCode(for: $0).rawValue == 64
    }
  }

  @Test("are known by name")
  func names() {
    #expect(OperatorTool.unknownVerb(in: ["frobnicate", "pods"]) == "frobnicate")
    for verb in ["add", "del", "check", "gc", "status", "list", "try", "help", "--help"] {
      #expect(OperatorTool.unknownVerb(in: [verb]) == nil)
    }
    #expect(OperatorTool.unknownVerb(in: []) == nil)
  }

  @Test("name a container as cnitool does")
  func containerID() {
    // By `printf %s /var/run/netns/testing | sha512sum | cut -c1-20`.
    #expect(
      AttachmentOptions.containerID(for: "/var/run/netns/testing")
        == "cnitool-77383ca0a0715733ca6f")
  }

  @Test(
    "make paths absolute as Go does",
    arguments: [
      ("/run/netns/x", "/run/netns/x"), ("x", "/work/dir/x"), ("./x/../y//z/", "/work/dir/y/z"),
      ("../../../x", "/x"), ("/", "/"),
    ])
  func absolutePaths(path: String, expected: String) {
    var surroundings = Surroundings.real
    surroundings.workingDirectory = "/work/dir"
    #expect(surroundings.absolute(path) == expected)
  }
}
