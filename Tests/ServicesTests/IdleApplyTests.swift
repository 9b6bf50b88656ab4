import Addressing
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Services

/// The timer applies every half minute: nothing is read again then, and nothing is overlooked.
@Suite("An apply that has nothing to do")
struct IdleApplyTests {
  typealias Fixture = ServiceNodeTests.Fixture

  /// A node with two pods, whose last apply had nothing to do.
  private func settled() throws -> Fixture {
    let fixture = try Fixture()
    try fixture.directory.write("services.json", "{}")
    try fixture.directory.write(
      "run/subnet.json",
      """
      {"node": "a", "cluster": ["10.5.0.0/16"], "subnets": ["10.5.1.0/24"], "mtu": 1450,
       "backend": "vxlan", "devices": ["flannel.1"], "masquerade": true}
      """)
    try fixture.define("web")
    try fixture.define("other", port: 81, selector: #"{"app":"other"}"#)
    for number in 1...2 { _ = try fixture.node.attach(try fixture.pod(number)) }
    try settle(fixture)
    return fixture
  }

  /// Applies until nothing is read any more.
  ///
  /// Files that are as young as the clock's tick count as changing.
  private func settle(_ fixture: borrowing Fixture) throws {
    var rounds = 0
    while try isRead(by: fixture) {
      rounds += 1
      try #require(rounds < 1000)
    }
  }

  /// Whether an apply reads anything.
  private func isRead(by fixture: borrowing Fixture) throws -> Bool {
    try whatIsRead(by: fixture) != []
  }

  private enum Part { case rules, files }

  /// What an apply reads.
  private func whatIsRead(by fixture: borrowing Fixture) throws -> [Part] {
    let before = fixture.plane.state.withLock { $0 }
    _ = try fixture.node.apply()
    let after = fixture.plane.state.withLock { $0 }
    return (after.readings == before.readings ? [] : [.rules])
      + (after.agreements == before.agreements ? [] : [.files])
  }

  @Test("reads nothing, tells the same, and announces the addresses of balancers all the same")
  func idles() throws {
    let fixture = try settled()
    try fixture.directory.write(
      "services.json", #"{"loadBalancerPool": ["198.51.100.8/32"]}"#)
    try fixture.directory.write(
      "services.d/lb.json",
      """
      {"apiVersion":"v1","kind":"Service","metadata":{"name":"lb"},
       "spec":{"type":"LoadBalancer","ports":[{"port":80}],"selector":{"app":"web"}}}
      """)
    let first = try fixture.node.apply()
    try settle(fixture)
    fixture.plane.state.withLock {
      $0.served = nil
      $0.obstacles = ["there is no uplink"]
    }
    let files = try fixture.files()
    let last = try fixture.node.apply()
    #expect(last.services == first.services && last.endpoints == first.endpoints)
    #expect(last.settings == first.settings)
    #expect(last.notices == ["there is no uplink"], "each time, and no longer than it is so")
    let served = try #require(fixture.plane.state.withLock { $0.served })
    #expect(served.wanted.map(\.description) == ["198.51.100.8"])
    #expect(served.former == served.wanted && served.announcesAll)
    #expect(try fixture.files() == files)
    fixture.plane.state.withLock { $0.obstacles = [] }
    #expect(try fixture.node.apply().notices == [])
    #expect(try !isRead(by: fixture))
  }

  @Test("reads only rules where only they have changed, and only files where only they have")
  func readsWhatChanged() throws {
    let fixture = try settled()
    fixture.plane.state.withLock { $0.commits += 1 }
    #expect(try whatIsRead(by: fixture) == [.rules])
    #expect(try whatIsRead(by: fixture) == [])
    try Self.edit("services.d/web.json", in: fixture) { $0 + "\n" }
    #expect(try whatIsRead(by: fixture) == [.files])
    try settle(fixture)
    // What the store says is not what was compared with the rules.
    try fixture.define("late", port: 82)
    #expect(try whatIsRead(by: fixture) == [.files])
    #expect(try whatIsRead(by: fixture) == [.rules, .files])
    try settle(fixture)
    #expect(fixture.plane.state.withLock { $0.replacements } == 1)
  }

  @Test("takes a file that changes meanwhile for one that may change again unseen")
  func youngFiles() throws {
    let fixture = try settled()
    let before = try fixture.node.store.moment()
    #expect(try fixture.node.scene().youngest < before)
    for file in ["services.d/web.json", "services.json"] {
      let began = try fixture.node.store.moment()
      try Self.edit(file, in: fixture) { $0 + "\n" }
      #expect(try fixture.node.scene().youngest >= began, "\(file)")
    }
  }

  /// Something that changes, and of which nobody has told.
  struct Event: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let happen: @Sendable (borrowing Fixture) throws -> Void

    init(_ name: String, _ happen: @escaping @Sendable (borrowing Fixture) throws -> Void) {
      testDescription = name
      self.happen = happen
    }
  }

  static let events = [
    Event("a transaction of anybody") { $0.plane.state.withLock { $0.commits += 1 } },
    Event("an element that is gone") { fixture in
      fixture.plane.state.withLock { state in
        if let key = state.frontends.keys.first { state.frontends[key] = nil }
      }
    },
    Event("nft flush ruleset") { $0.plane.flush() },
    Event("another address of the node") {
      $0.plane.state.withLock { $0.primary = "192.0.2.7" }
    },
    Event("another way out") { $0.plane.state.withLock { $0.exits = "3 192.0.2.1, -" } },
    Event("a definition that is changed in place") { fixture in
      try Self.edit("services.d/web.json", in: fixture) { $0.replacing("80", with: "88") }
    },
    Event("a definition of the same length that tells an old time") { fixture in
      let path = fixture.directory.path("services.d/web.json")
      // Beside the directory, whose own time tells too.
      let time = fixture.directory.path("time")
      try Shell.run("touch -r \(path) \(time)")
      try Self.edit("services.d/web.json", in: fixture) { $0.replacing("80", with: "88") }
      try Shell.run("touch -r \(time) \(path)")
    },
    Event("a definition that is longer") { fixture in
      try Self.edit("services.d/web.json", in: fixture) { $0 + "\n" }
    },
    Event("a definition that everybody may write to") { fixture in
      try Shell.run("chmod 666 \(fixture.directory.path("services.d/web.json"))")
    },
    Event("a new definition") { try $0.define("late", port: 82) },
    Event("a definition that is gone") {
      try File.remove($0.directory.path("services.d/other.json"))
    },
    Event("the settings") { try $0.directory.write("services.json", #"{"podRanges": []}"#) },
    Event("the flat network's file") { try File.remove($0.directory.path("run/subnet.json")) },
    Event("the ledger that is gone") { try File.remove($0.node.paths.ledger) },
    Event("an endpoint file that is gone") { fixture in
      try File.remove(fixture.node.store.path(try fixture.pod(1).owner))
    },
    Event("an endpoint file that is damaged") { fixture in
      let path = fixture.node.store.path(try fixture.pod(1).owner)
      try File.replace(path, with: Array("{".utf8), flushed: false)
    },
    Event("a pod") { _ = try $0.node.attach(try $0.pod(3)) },
    Event("a pod that nobody selects") {
      _ = try $0.node.attach(try $0.pod(3, app: "none"))
    },
    Event("a pod that leaves") { try $0.node.detach([try $0.pod(2).owner]) },
    Event("a service file of the store") { fixture in
      for file in try fixture.files() where file.contains("/by-name/") {
        try fixture.directory.write(file, "{", mode: 0o600)
      }
    },
    Event("the index of the store") { fixture in
      for file in try fixture.files() where file.contains("/index/") {
        try File.remove(fixture.directory.path(file))
      }
    },
    Event("whose an address is") { fixture in
      for file in try fixture.files() where file.contains("/by-address/") {
        try File.remove(fixture.directory.path(file))
      }
    },
    Event("somebody who died between kernel and files") { try $0.node.store.setMark() },
    Event("the stamp of the store") { fixture in
      try File.remove(fixture.directory.path("run/services/stamp"))
    },
    Event("what an apply remembers") { fixture in
      try fixture.directory.write("run/services/idle", "{}", mode: 0o600)
    },
    Event("all of /run") { fixture in
      fixture.plane.flush()
      fixture.directory.remove("run")
    },
  ]

  private static func edit(
    _ file: String, in fixture: borrowing Fixture, _ change: (String) -> String
  ) throws {
    let path = fixture.directory.path(file)
    let text = change(try #require(try fixture.directory.text(file)))
    // The same file, as an editor that writes in place leaves it.
    try Shell.run("printf %s '\(text)' > \(path)")
  }

  @Test("is none when anything has changed", arguments: events)
  func notices(event: Event) throws {
    let fixture = try settled()
    try event.happen(fixture)
    #expect(try isRead(by: fixture))
    // And all is well again, at last.
    fixture.plane.state.withLock { $0.commits += 1 }
    #expect(try !fixture.node.apply().isRebuilt)
  }

  @Test("comes never while a definition is bad, or could not be compiled")
  func refuses() throws {
    let fixture = try settled()
    try fixture.directory.write("services.d/bad.json", "{")
    for _ in 0..<3 { #expect(try fixture.node.apply().refusals.map(\.file) == ["bad.json"]) }
    try File.remove(fixture.directory.path("services.d/bad.json"))
    try settle(fixture)
    try fixture.define("late", port: 82)
    var compilations = 0
    for _ in 0..<3 {
      _ = try fixture.node.apply { () throws(SystemError) in
        compilations += 1
        return false
      }
    }
    #expect(compilations == 3)
    try settle(fixture)
    _ = try fixture.node.apply { () throws(SystemError) in
      compilations += 1
      return true
    }
    #expect(compilations == 3, "there is nothing to compile")
  }
}
