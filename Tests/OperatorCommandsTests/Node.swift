import ArgumentParser
import CNIRuntime
import Linux
import Synchronization
import TestSupport
import Testing

@testable import OperatorCommands

/// A node in a temporary directory: lists, plugins and state of its own.
struct Node: ~Copyable {
  let directory: TemporaryDirectory
  private let said = Said()

  final class Said: Sendable {
    let output = Mutex<[String]>([])
    let warnings = Mutex<[String]>([])
  }

  /// A node on which a plugin `fake` writes down what it is asked, and answers with an address.
  init() throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      "bin/fake",
      """
      #!/bin/sh
      input=$(cat)
      dir=${0%/bin/fake}
      echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME $CNI_NETNS [$CNI_ARGS]" >> $dir/log
      echo "$input" > $dir/input
      if [ -e $dir/fail ]; then cat $dir/fail; exit 1; fi
      if [ $CNI_COMMAND = ADD ]; then
        echo '{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/x"}],\
      "ips":[{"interface":0,"address":"10.1.2.3/24"}]}'
      fi
      """, mode: 0o755)
    try directory.write(
      "net.d/10-pods.conflist",
      """
      {"cniVersion": "1.1.0", "name": "pods",
       "plugins": [{"type": "fake", "capabilities": {"mac": true}}]}
      """)
    self.directory = directory
  }

  /// A node with our own plugins and one list, in which @STATE@ stands for the state directory.
  init(plugins: [String], list: String) throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.path("bin"))
    try ProgramFile.copy(BuiltProgram.cni(), to: directory.path("bin/cni"), names: plugins)
    try directory.write(
      "net.d/10-pods.conflist", list.replacing("@STATE@", with: directory.path("state")))
    self.directory = directory
  }

  /// What the node knows of its networks.
  func report() throws -> NodeReport {
    var survey = NodeSurvey(
      cache: ResultCache(below: directory.path("state")),
      leaseDirectory: directory.path("state/networks"))
    return survey.report(on: ConfigurationDirectory(path: directory.path("net.d")))
  }

  /// What plugins were asked, a line each.
  var log: [String] {
    get throws {
      try directory.text("log")?.split(separator: "\n").map(String.init) ?? []
    }
  }

  /// What was printed since the last time.
  func output() -> String {
    said.output.withLock { lines in
      defer { lines = [] }
      return lines.joined(separator: "\n")
    }
  }

  /// What was said beside it since the last time.
  func warnings() -> [String] {
    said.warnings.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }

  /// Carries out a command line on this node.
  func run(_ words: [String], environment: [String: String] = [:]) throws {
    let places =
      words[0] == "try"
      ? []
      : [
        "--config-dir", directory.path("net.d"), "--state-dir", directory.path("state"),
      ] + (["list", "graph"].contains(words[0]) ? [] : ["--plugin-path", directory.path("bin")])
        + (["trace", "graph"].contains(words[0]) ? ["--run-dir", directory.path("run")] : [])
    let parsed = try OperatorTool.parseAsRoot(words + places)
    let verb = try #require(parsed as? any Verb)
    let said = said
    try verb.perform(
      in: Surroundings(
        environment: Environment(["PATH": "/usr/bin:/bin"].merging(environment) { $1 }),
        workingDirectory: directory.path,
        print: { text throws(SystemError) in said.output.withLock { $0.append(text) } },
        warn: { text in said.warnings.withLock { $0.append(text) } }))
  }
}
