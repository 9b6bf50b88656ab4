import Addressing
import CNI
import Linux
import Plumbing
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("A pair of links", .needsRoot)
struct VethPairTests {
  @Test("takes the next name when somebody else's link has the first one, and is found by it")
  func nextName() throws {
    let pod = try FreshNamespace()
    let attachment = try Attachment.pod("one")
    let names = AttachmentNames(attachment).hostInterfaces
    let (made, both, left) = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      for name in names.prefix(2) {
        let peer = VethPeer(name: try InterfaceName("x\(name.text.dropFirst())"))
        try worlds.host.createLink(NewLink(name, .veth(peer: peer)))
      }
      let pair = try VethPair(for: attachment, VethPair.Settings(), in: worlds)
      try pair.open(for: [], in: worlds)
      let both = try Witness.links().filter { $0.alias != nil }.map(\.name)
      try DepartingPair(of: attachment, namespace: nil).remove()
      return (pair.host.name, both, try Witness.links().map(\.name))
    }
    #expect(made == names[2])
    #expect(both == [names[2].text])
    #expect(left.contains(names[0].text) && left.contains(names[1].text))
    #expect(!left.contains(names[2].text))
  }

  @Test("says to come again when all of its names are taken, and leaves nothing")
  func noName() throws {
    let pod = try FreshNamespace()
    let attachment = try Attachment.pod("one")
    let (error, links) = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      for name in AttachmentNames(attachment).hostInterfaces {
        let peer = VethPeer(name: try InterfaceName("x\(name.text.dropFirst())"))
        try worlds.host.createLink(NewLink(name, .veth(peer: peer)))
      }
      let error = #expect(throws: ProtocolError.self) {
        _ = try VethPair(for: attachment, VethPair.Settings(), in: worlds)
      }
      return (error, try Witness.links().filter { $0.alias != nil })
    }
    #expect(error?.code == .tryAgainLater)
    #expect(links == [])
    #expect(try pod.run { try Witness.links() }.map(\.name) == ["lo"])
  }

  @Test("is garbage by its network's name alone, up to the slash")
  func garbage() throws {
    let pod = try FreshNamespace()
    let left = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      let attachments = try [
        Attachment.pod("one", "net"), Attachment.pod("two", "net2"),
      ]
      for attachment in attachments {
        let renamed = Attachment(
          network: attachment.network, container: attachment.container,
          interface: try InterfaceName(attachment.container.text))
        try VethPair(for: renamed, VethPair.Settings(), in: worlds).open(for: [], in: worlds)
      }
      try VethPair.collectGarbage(of: try NetworkName("net"), keeping: [])
      return try Witness.links().compactMap(\.alias)
    }
    #expect(left == ["swift-cni:net2/two/two"])
  }

  @Test("is garbage of its network before it is signed, unless its attachment stays")
  func unsignedGarbage() throws {
    let pod = try FreshNamespace()
    let (kept, others, left) = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      let attachment = try Attachment.pod("one")
      // Never opened, as when the ADD is killed.
      _ = try VethPair(for: attachment, VethPair.Settings(), in: worlds)
      let valid = ValidAttachment(
        container: attachment.container, interface: attachment.interface)
      try VethPair.collectGarbage(of: attachment.network, keeping: [valid])
      let kept = try Witness.links().map(\.kind)
      try VethPair.collectGarbage(of: try NetworkName("another"), keeping: [])
      let others = try Witness.links().map(\.kind)
      try VethPair.collectGarbage(of: attachment.network, keeping: [])
      return (kept, others, try Witness.links().map(\.kind))
    }
    #expect(kept.contains("veth"))
    #expect(others == kept)
    #expect(!left.contains("veth"))
  }

  @Test("is found after an ADD that was killed before it signed", arguments: [true, false])
  func unsigned(hasNamespace: Bool) throws {
    let pod = try FreshNamespace()
    let attachment = try Attachment.pod("one")
    let (again, others, left) = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      _ = try VethPair(for: attachment, VethPair.Settings(), in: worlds)
      let again = #expect(throws: ProtocolError.self) {
        _ = try VethPair(for: attachment, VethPair.Settings(), in: worlds)
      }
      try DepartingPair(of: try .pod("two"), namespace: nil).remove()
      let others = try Witness.links().map(\.name)
      try DepartingPair(of: attachment, namespace: hasNamespace ? pod.path : nil).remove()
      return (again, others, try Witness.links().map(\.name))
    }
    #expect(again?.message.contains("there already") == true)
    #expect(others == ["lo", AttachmentNames(attachment).hostInterfaces[0].text])
    #expect(left == ["lo"])
  }

  @Test("lets forwarding be switched on for the families that need it, and stay on")
  func forwarding() throws {
    let pod = try FreshNamespace()
    let values = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      try Forwarding.checkPossible(for: [.v4, .v6])
      let before = try Self.forwarding()
      try Forwarding.enable(for: [.v6], in: worlds)
      let one = try Self.forwarding()
      try Forwarding.enable(for: [.v4, .v6], in: worlds)
      return [before, one, try Self.forwarding()]
    }
    #expect(values == [["0", "0"], ["0", "1"], ["1", "1"]])
  }

  private static func forwarding() throws -> [String] {
    [
      try Sysctl.read(["net", "ipv4", "ip_forward"]),
      try Sysctl.read(["net", "ipv6", "conf", "all", "forwarding"]),
    ]
  }
}
