import Linux
import TestSupport
import Testing
import Witness

/// A command of `cnictl` that makes the kernel agree with files, disturbed at its system calls.
struct ControlScene: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// What follows `cnictl`.
  let words: [String]
  /// What the files are before, in a shell.
  let preparation: String
  /// Changes the files, so that the command has something to do.
  let change: String
  /// Changes them back.
  let reversal: String

  static let all = [
    ControlScene(
      testDescription: "cnictl service apply",
      words: [
        "service", "apply", "--services-dir", "/run/conf/services.d", "--settings-file",
        "/run/conf/services.json", "--run-dir", "/run/services", "--service-state-dir",
        "/var/lib/services",
      ],
      preparation: """
        mkdir -p /run/conf/services.d
        echo '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "old"},
          "spec": {"clusterIP": "10.96.0.6", "selector": {"app": "old"}, "ports": [{"port": 80}]}}' \\
          >/run/conf/services.d/old.json
        """,
      change: """
        for i in 1 2 3; do
          echo '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web'$i'"},
            "spec": {"type": "NodePort", "clusterIP": "10.96.1.'$i'", "selector": {"app": "web"},
              "ports": [{"port": 80, "nodePort": 3000'$i'}]}}' >/run/conf/services.d/web$i.json
        done
        """,
      reversal: "rm /run/conf/services.d/web*.json"),
    ControlScene(
      testDescription: "cnictl node apply",
      words: [
        "node", "apply", "--config-dir", "/run/conf", "--run-dir", "/run/node", "--state-dir",
        "/var/lib/node", "--flannel-file", "/run/node/subnet.env",
      ],
      preparation: """
        mkdir -p /run/conf/peers.d
        echo '{"name": "node-1", "underlay": ["192.0.2.1"], "cluster": ["10.5.0.0/16"],
          "subnets": ["10.5.1.0/24"]}' >/run/conf/node.json
        echo '{"name": "node-2", "underlay": ["192.0.2.2"], "subnets": ["10.5.2.0/24"]}' \\
          >/run/conf/peers.d/node-2.json
        """,
      change: """
        for i in 3 4; do
          echo '{"name": "node-'$i'", "underlay": ["192.0.2.'$i'"],
            "subnets": ["10.5.'$i'.0/24"]}' >/run/conf/peers.d/node-$i.json
        done
        """,
      reversal: "rm /run/conf/peers.d/node-3.json /run/conf/peers.d/node-4.json"),
  ]
}

/// The node on which it is disturbed.
final class ControlSweep {
  private let scene: ControlScene
  private let directory: String
  private var world: FaultWorld
  private var before: [String] = []
  private var after: [String] = []

  init(_ scene: ControlScene, _ directory: String) throws {
    self.scene = scene
    self.directory = directory
    world = try FaultWorld(directory, preparation: scene.preparation)
    try settle()
  }

  private func settle() throws {
    try apply()
    for _ in 1...2 {
      try Shell.run(scene.change)
      try apply()
      after = try world.hostPicture()
      try Shell.run(scene.reversal)
      try apply()
      before = try world.hostPicture()
    }
  }

  /// Disturbs the command at some of its calls, or at all if no number is given.
  func sweep(_ count: Int?, seed: UInt64) throws -> FaultTally {
    var tally = FaultTally(scene.testDescription)
    try Shell.run(scene.change)
    let (calls, outcome) = try world.calls(
      of: program, [:], from: #"AT_FDCWD, "/run/"#)
    if !outcome.isSuccess { tally.complain("undisturbed: \(outcome)") }
    if calls.calls.count < 20 { tally.complain("makes \(calls.calls.count) calls") }
    try Shell.run(scene.reversal)
    try apply()
    for fault in Fault.sample(Fault.all(at: calls), count, seed: seed) {
      do {
        try Shell.run(scene.change)
        let ending = try world.run(program, [:], fault)
        let verdict = FaultAnswer.verdict(onCommand: ending.outcome, fault)
        var complaints: [String] = []
        if case .fault(let complaint) = verdict { complaints.append(complaint) }
        if verdict == .success {
          let missing = try world.leftovers(since: after, world.hostPicture)
          if !missing.isEmpty { complaints.append("false success: \(missing)") }
        }
        // Whoever runs it again needs to know nothing of what has happened.
        try apply()
        let wrong = try world.leftovers(since: after, world.hostPicture)
        if !wrong.isEmpty { complaints.append("not mended by the next one: \(wrong)") }
        try Shell.run(scene.reversal)
        try apply()
        let left = try world.leftovers(since: before, world.hostPicture)
        if !left.isEmpty { complaints.append("left: \(left)") }
        tally.count(fault, isHit: ending.isHit, verdict, complaints)
        guard complaints.isEmpty else { throw FaultWorld.Disorder() }
      } catch {
        if !(error is FaultWorld.Disorder) {
          tally.count(fault, isHit: true, .fault(""), ["\(error)"])
        }
        world = try FaultWorld(directory, preparation: scene.preparation)
        try settle()
      }
    }
    return tally
  }

  private var program: [String] { ["\(directory)/cnictl"] + scene.words }

  private func apply() throws {
    let outcome = try world.run(program, [:]).outcome
    guard outcome.isSuccess else {
      throw FaultWorld.Failed(
        description: String(decoding: outcome.diagnostics, as: UTF8.self))
    }
  }
}
