import Addressing
import Linux
import Netlink
import TestSupport
import Testing

@testable import Services

/// A pod that has gone without a DEL is known by its address, which another pod has.
@Suite("An address of a pod that is given out again")
struct AddressClaimTests {
  typealias Fixture = ServiceNodeTests.Fixture

  /// Two services, and two pods of the first one.
  private static func node() throws -> Fixture {
    let fixture = try Fixture()
    try fixture.define("one", selector: #"{"app":"one"}"#)
    try fixture.define("two", port: 81, selector: #"{"app":"two"}"#)
    _ = try fixture.node.attach(try fixture.pod(1, app: "one"))
    _ = try fixture.node.attach(try fixture.pod(2, app: "one"))
    return fixture
  }

  /// Another pod with the address of the first one.
  private static func heir(_ fixture: borrowing Fixture) throws -> EndpointFile {
    let other = try fixture.pod(9, app: "two")
    return EndpointFile(other.owner, other.identity, addresses: [try IPAddress("10.1.0.1")])
  }

  private static func endpoints(_ fixture: borrowing Fixture) throws -> [String] {
    try fixture.files().filter { $0.contains("/endpoints/") }.map {
      String($0.split(separator: "/").last ?? "")
    }
  }

  @Test("takes whoever had it out of services, by one transaction, and a late DEL does no harm")
  func replaces() throws {
    let fixture = try Self.node()
    let lost = try fixture.pod(1, app: "one")
    let heir = try Self.heir(fixture)
    let before = fixture.plane.counts
    #expect(try fixture.node.attach(heir) == nil)
    #expect(fixture.plane.counts == [before[0] + 1, before[1]])
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.2"])
    #expect(fixture.plane.backends(port: 81) == ["10.1.0.1"])
    #expect(try Self.endpoints(fixture) == ["pod-2-eth0.json", "pod-9-eth0.json"])
    #expect(try !fixture.node.faults(of: lost.owner, lost.addresses).isEmpty)
    try fixture.node.detach([lost.owner])
    #expect(fixture.plane.backends(port: 81) == ["10.1.0.1"])
    #expect(try fixture.node.store.holder(of: try IPAddress("10.1.0.1")) == heir.owner)
    try fixture.node.detach([heir.owner])
    #expect(fixture.plane.backends(port: 81) == [])
    #expect(try fixture.node.store.holder(of: try IPAddress("10.1.0.1")) == nil)
  }

  @Test("stays whose it was if the ADD fails")
  func undone() throws {
    let fixture = try Self.node()
    let lost = try fixture.pod(1, app: "one")
    let before = try fixture.files()
    fixture.plane.fail(.kernel(.init(operation: "commit", errno: .notPermitted)))
    #expect(throws: ServiceError.self) { try fixture.node.attach(try Self.heir(fixture)) }
    #expect(try fixture.files() == before)
    #expect(try fixture.node.store.holder(of: lost.addresses[0]) == lost.owner)
    #expect(try fixture.node.faults(of: lost.owner, lost.addresses) == [])
  }

  @Test("leads to nobody new if the ADD fails over what is left of whoever had it", .needsRoot)
  func unforgotten() async throws {
    try await OwnMounts.run(emptying: []) {
      let fixture = try Self.node()
      let lost = try fixture.pod(1, app: "one")
      let heir = try Self.heir(fixture)
      let path = fixture.node.store.path(lost.owner)
      // Something is mounted there, so it is read and not removed.
      try Shell.run("mount --bind \(path) \(path)")
      #expect(throws: ServiceError.self) { try fixture.node.attach(heir) }
      try Shell.run("umount \(path)")
      #expect(fixture.plane.backends(port: 81) == [])
      // The runtime takes back what it could not add.
      try fixture.node.detach([heir.owner])
      #expect(fixture.plane.backends(port: 81) == [])
      #expect(fixture.plane.backends(port: 80)?.sorted() == ["10.1.0.1", "10.1.0.2"])
      let origins = try fixture.node.services().flatMap(\.endpoints).map(\.origin)
      #expect(!origins.contains(.attachment(heir.owner)))
      #expect(try fixture.node.faults(of: lost.owner, lost.addresses) == [])
    }
  }

  @Test("is known by all files alone, as after an update, where the latest has it")
  func withoutClaims() throws {
    let fixture = try Self.node()
    let heir = try Self.heir(fixture)
    let claims = fixture.node.store.claimDirectory
    for name in try Directory.entries(of: claims) { try File.remove("\(claims)/\(name)") }
    // Time stamps may be as coarse as a tick of the clock, so the file is written until it is later.
    let first = fixture.node.store.path(try fixture.pod(1, app: "one").owner)
    repeat {
      try fixture.node.store.write(heir)
    } while try File.status(of: fixture.node.store.path(heir.owner))?.modified
      == File.status(of: first)?.modified
    _ = try fixture.node.apply()
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.2"])
    #expect(fixture.plane.backends(port: 81) == ["10.1.0.1"])
    #expect(try Self.endpoints(fixture) == ["pod-2-eth0.json", "pod-9-eth0.json"])
    #expect(try Directory.entries(of: claims) == ["10.1.0.1", "10.1.0.2"])
  }

  @Test("is settled by whoever comes after an ADD that was killed", arguments: [true, false])
  func killed(_ hasClaimed: Bool) throws {
    let fixture = try Self.node()
    let heir = try Self.heir(fixture)
    try fixture.node.store.write(heir)
    if hasClaimed { _ = try fixture.node.store.claim(heir.addresses[0], for: heir.owner) }
    _ = try fixture.node.apply()
    let present = try Self.endpoints(fixture)
    #expect(
      present == ["pod-2-eth0.json", hasClaimed ? "pod-9-eth0.json" : "pod-1-eth0.json"].sorted())
    #expect(fixture.plane.backends(port: 81) == (hasClaimed ? ["10.1.0.1"] : []))
    // The runtime takes the pod back that it could not add, or adds it again.
    #expect(try fixture.node.attach(heir) == nil)
    #expect(fixture.plane.backends(port: 81) == ["10.1.0.1"])
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.2"])
  }

  @Test("belongs to its pod's new file when the same pod is added again with another")
  func sameOwner() throws {
    let fixture = try Self.node()
    let pod = try fixture.pod(1, app: "one")
    let again = EndpointFile(pod.owner, pod.identity, addresses: [try IPAddress("10.1.0.7")])
    #expect(try fixture.node.attach(again) == nil)
    #expect(try fixture.node.store.holder(of: pod.addresses[0]) == nil)
    #expect(try fixture.node.store.holder(of: again.addresses[0]) == pod.owner)
    #expect(fixture.plane.backends(port: 80)?.sorted() == ["10.1.0.2", "10.1.0.7"])
  }
}
