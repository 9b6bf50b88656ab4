import TestSupport
import Testing

/// The chapter of README, executed as it is printed: two hosts with file systems of their own where it
/// matters, and an `ssh` that leads from one to the other.
@Suite("README's \"Two nodes in five minutes\"", .needsRoot)
struct ReadmeTests {
  @Test("does what it says, word for word")
  func works() throws {
    let blocks = try ReadmeChapter("Two nodes in five minutes").blocks
    #expect(blocks.count == 5)

    let hosts = [
      "node-a": try InstalledHost(isAlone: false), "node-b": try InstalledHost(isAlone: false),
    ]
    let first = try #require(hosts["node-a"])
    let second = try #require(hosts["node-b"])
    for (host, other) in [(first, second), (second, first)] {
      try host.install(
        "ssh",
        "#!/bin/sh\nshift\nexec \(try other.command) \"$*\"\n")
    }
    _ = try first.run(
      "ip link add eth0 up type veth peer name eth0 netns \(try second.process)"
        + "; ip addr add 192.0.2.1/24 dev eth0")
    _ = try second.run("ip link set eth0 up; ip addr add 192.0.2.2/24 dev eth0")
    var said = ""
    for block in blocks {
      let line = try #require(block.lines.split(separator: "\n").first)
      let host = try #require(line.split(separator: " ").last.flatMap { hosts[String($0)] })
      said = try host.run(block.lines)
    }
    #expect(said.contains("1 received"), "\(said)")
    // Nobody was hidden behind a node on the way.
    let heard = try second.run("ip netns exec green ping -c 1 -R 10.5.1.2")
    #expect(heard.contains("10.5.2.2"))
  }
}
