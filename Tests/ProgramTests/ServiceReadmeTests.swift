import TestSupport
import Testing

/// The chapter of README, executed as it is printed, on a host of its own with another beside it.
@Suite("README's \"Services without Kubernetes\"", .needsRoot)
struct ServiceReadmeTests {
  @Test("does what it says, and prints what it shows, word for word")
  func works() throws {
    let blocks = try ReadmeChapter("Services without Kubernetes").blocks
    #expect(blocks.count >= 7)
    let host = try InstalledHost()
    let other = try FreshNamespace()
    try host.network.run { () throws in
      _ = try Shell.run(
        "ip link add eth0 up type veth peer name eth0 netns \(other.path)"
          + "; ip addr add 192.0.2.10/24 dev eth0")
    }
    try other.run { () throws in
      _ = try Shell.run("ip link set eth0 up; ip addr add 192.0.2.20/24 dev eth0")
    }
    var isAskedFromOutside = false
    for block in blocks {
      let said = try host.run(block.lines)
      if let output = block.output { #expect(said == output, "\(block.lines)") }
      guard block.lines.contains("http://192.0.2.10:30080") else { continue }
      // And so from another host.
      let heard = try other.run {
        try Shell.run(
          "for try in $(seq 50); do curl -s http://192.0.2.10:30080; done | sort -u")
      }
      #expect(heard == "this is blue\nthis is red\n")
      isAskedFromOutside = true
    }
    #expect(isAskedFromOutside)
    // Nothing of it is left but what is there for all services.
    let links = try host.run("ip -o link; ip netns list; ls /run/swift-cni/services/by-name")
    #expect(!links.contains("veth") && !links.contains("red") && !links.contains("web"), "\(links)")
  }
}
