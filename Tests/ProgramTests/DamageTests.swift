import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("DEL in a damaged world", .needsRoot, .endsWithinTheHour)
struct DamageTests {
  @Test("leaves nothing of a pod whose namespace has gone", arguments: Subject.allCases)
  func namespaceGone(_ subject: Subject) throws {
    let host = try PluginHost()
    let network = subject.network(on: host)
    let before = try host.settled(network)
    let attachment: TestAttachment
    do {
      let pod = try Pod("gone")
      attachment = pod.attachment
      try succeed(try host.call("ADD", attachment, network))
    }
    try succeed(try host.call("DEL", attachment, network))
    #expect(try host.leftovers(since: before) == [])
  }

  @Test(
    "touches no other pod, whatever CNI_NETNS leads to", arguments: Subject.allCases, Path.allCases)
  func wrongPath(_ subject: Subject, _ path: Path) throws {
    let host = try PluginHost()
    let network = subject.network(on: host)
    let before = try host.settled(network)
    let neighbour = try Pod("neighbour")
    try succeed(try host.call("ADD", neighbour.attachment, network))
    let directory = try TemporaryDirectory()
    let pod = try Pod("pod")
    try succeed(try host.call("ADD", pod.attachment, network))
    let theirs = try neighbour.run { try Witness.snapshot() }

    var attachment = pod.attachment
    attachment.namespace = try path.text(directory.path, neighbour)
    try succeed(try host.call("DEL", attachment, network))
    if subject != .loopback {
      #expect(try neighbour.run { try Witness.snapshot() } == theirs)
      #expect(try neighbour.reachesHost())
    }

    try succeed(try host.call("DEL", neighbour.attachment, network))
    #expect(try host.leftovers(since: before) == [])
  }

  @Test(
    "succeeds and leaves nothing whatever it is told of the previous result",
    arguments: Subject.allCases, PreviousResult.allCases)
  func previousResult(_ subject: Subject, _ previous: PreviousResult) throws {
    let host = try PluginHost()
    let network = subject.network(on: host)
    let before = try host.settled(network)
    let neighbour = try Pod("neighbour")
    let others = try host.call("ADD", neighbour.attachment, network)
    try succeed(others)

    for world in World.allCases {
      let attachment: TestAttachment
      do {
        let pod = try Pod("pod")
        var told = network
        told["prevResult"] = try previous.value(othersResult: others.document())
        try succeed(try host.call("ADD", pod.attachment, network))
        attachment = world.attachment(of: pod)
        if world != .gone {
          for _ in 1...2 { try succeed(try host.call("DEL", attachment, told)) }
        }
      }
      var told = network
      told["prevResult"] = try previous.value(othersResult: others.document())
      for _ in 1...2 { try succeed(try host.call("DEL", attachment, told)) }
      var stranger = attachment
      stranger.container = "never-added"
      try succeed(try host.call("DEL", stranger, told))
    }

    if subject != .loopback { #expect(try neighbour.reachesHost()) }
    try succeed(try host.call("DEL", neighbour.attachment, network))
    #expect(try host.leftovers(since: before) == [])
  }
}

/// The plugins that are put to the test.
enum Subject: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case bridge, ptp, loopback

  var testDescription: String { rawValue }

  func network(on host: PluginHost) -> JSONObject {
    switch self {
    case .bridge: TestNetwork.bridge(on: host)
    case .ptp: TestNetwork.pair(on: host)
    case .loopback: TestNetwork.loopback
    }
  }
}

/// What CNI_NETNS may hold when a runtime has lost its way.
enum Path: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case unset, empty, missing, plainFile, directory, anotherPod

  var testDescription: String { rawValue }

  func text(_ place: String, _ neighbour: Pod) throws -> String? {
    switch self {
    case .unset: return nil
    case .empty: return ""
    case .missing: return "\(place)/missing"
    case .plainFile:
      // What is left of a bind mount that was taken down.
      try File.replace("\(place)/plain", with: [])
      return "\(place)/plain"
    case .directory: return place
    case .anotherPod: return neighbour.attachment.namespace
    }
  }
}

/// What a runtime may hand over as previous result.
enum PreviousResult: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case absent, empty, garbage, unknownVersion, anotherPods

  var testDescription: String { rawValue }

  func value(othersResult: JSONObject) throws -> JSONValue? {
    switch self {
    case .absent: nil
    case .empty: [:]
    case .garbage: ["interfaces": "none", "ips": [1, true, ["address": "300.1.2.3/99"]]]
    case .unknownVersion: ["cniVersion": "9.9.9", "interfaces": [], "ips": []]
    case .anotherPods: .object(othersResult)
    }
  }
}

/// What has become of the pod's namespace.
private enum World: CaseIterable {
  case alive, gone, empty

  func attachment(of pod: Pod) -> TestAttachment {
    var attachment = pod.attachment
    if self == .empty { attachment.namespace = "" }
    return attachment
  }
}

extension PluginHost {
  /// Lets one pod come and go, which makes what all pods share, and takes a picture.
  fileprivate func settled(_ network: JSONObject) throws -> [String] {
    let pod = try Pod("first")
    try succeed(try call("ADD", pod.attachment, network))
    try succeed(try call("DEL", pod.attachment, network))
    return try picture()
  }
}

extension Pod {
  /// Whether the gateways of both families answer.
  fileprivate func reachesHost() throws -> Bool {
    try run { try Traffic.pings("10.44.0.1") && Traffic.pings("fd00:44::1") }
  }
}

/// What a plugin should not have refused.
private struct Refused: Error, CustomStringConvertible {
  let answer: ProgramAnswer
  var description: String { answer.output + answer.log }
}

func succeed(_ answer: ProgramAnswer) throws {
  if !answer.isSuccess { throw Refused(answer: answer) }
}
