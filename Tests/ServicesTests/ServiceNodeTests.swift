import Addressing
import Linux
import Netlink
import Synchronization
import TestSupport
import Testing

@testable import Services

@Suite("The services of a node")
struct ServiceNodeTests {
  /// A node in a temporary directory, with a kernel of its own.
  struct Fixture: ~Copyable {
    let directory: TemporaryDirectory
    let plane = FakePlane()
    let node: ServiceNode<FakePlane>

    init() throws {
      let directory = try TemporaryDirectory()
      var paths = ServicePaths()
      paths.definitions = directory.path("services.d")
      paths.settings = directory.path("services.json")
      paths.run = directory.path("run")
      paths.state = directory.path("state")
      node = ServiceNode(paths, plane)
      self.directory = directory
    }

    func define(_ name: String, port: Int = 80, selector: String = #"{"app":"web"}"#) throws {
      try directory.write(
        "services.d/\(name).json",
        """
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"\(name)"},
         "spec":{"ports":[{"port":\(port)}],"selector":\(selector)}}
        """)
    }

    func pod(_ number: Int, app: String = "web") throws -> EndpointFile {
      let owner = try #require(
        EndpointOwner(network: "net", container: "pod-\(number)", interface: "eth0"))
      var identity = PodIdentity()
      try identity.add(labels: ["app": app], from: "test")
      return EndpointFile(
        owner, identity, addresses: [try IPAddress("10.1.0.\(number)")])
    }

    /// The files below `run` and `state`, but for the lock.
    func files() throws -> [String] {
      func all(_ path: String) throws -> [String] {
        guard let status = try File.status(of: path) else { return [] }
        guard status.kind == .directory else { return [path] }
        return try Directory.entries(of: path).flatMap { try all("\(path)/\($0)") }
      }
      let root = directory.path
      return try (all("\(root)/run") + all("\(root)/state")).map {
        String($0.dropFirst(root.count + 1))
      }.filter { $0 != "run/services/lock" }
    }
  }

  @Test("get the pods that their selectors name, one transaction for each pod, and lose them again")
  func pods() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    try fixture.define("more", port: 81)
    try fixture.define("other", port: 82, selector: #"{"app":"other"}"#)
    let one = try fixture.pod(1)
    let two = try fixture.pod(2)
    let first = try #require(try fixture.node.attach(one))
    #expect(first.isRebuilt && first.refusals.isEmpty && first.services == 3)
    #expect(try fixture.node.attach(two) == nil)
    #expect(fixture.plane.counts == [1, 1])
    for port: UInt16 in [80, 81] {
      #expect(fixture.plane.backends(port: port) == ["10.1.0.1", "10.1.0.2"])
    }
    #expect(fixture.plane.backends(port: 82) == [])
    #expect(try fixture.node.faults(of: one.owner, one.addresses) == [])
    // A pod that nobody selects is remembered, and costs the kernel nothing.
    #expect(try fixture.node.attach(try fixture.pod(3, app: "none")) == nil)
    #expect(fixture.plane.counts == [1, 1])

    try fixture.node.detach([one.owner])
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.2"])
    try fixture.node.detach([one.owner])
    try fixture.node.detach([two.owner, try fixture.pod(3).owner])
    #expect(fixture.plane.backends(port: 81) == [])
    #expect(fixture.plane.counts == [3, 1])
    #expect(try fixture.files().filter { $0.contains("endpoints") } == [])
  }

  @Test("follow definitions that change, come and go, and names nobody who is gone")
  func liveChanges() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    let one = try fixture.pod(1)
    _ = try fixture.node.attach(one)
    try fixture.define("web", port: 8080)
    try fixture.define("late", port: 81)
    let report = try #require(try fixture.node.attach(try fixture.pod(2)))
    #expect(!report.isRebuilt && report.services == 2)
    #expect(fixture.plane.backends(port: 80) == nil)
    #expect(fixture.plane.backends(port: 8080) == ["10.1.0.1", "10.1.0.2"])
    #expect(fixture.plane.backends(port: 81) == ["10.1.0.1", "10.1.0.2"])
    // The endpoint files say so too, so DEL needs no definition.
    try File.remove(fixture.directory.path("services.d/late.json"))
    try File.remove(fixture.directory.path("services.d/web.json"))
    try Directory.remove(fixture.directory.path("services.d"))
    try fixture.node.detach([one.owner])
    #expect(fixture.plane.backends(port: 81) == ["10.1.0.2"])
    #expect(fixture.plane.backends(port: 8080) == ["10.1.0.2"])
    let last = try fixture.node.apply()
    #expect(last.services == 0)
    #expect(fixture.plane.state.withLock { $0.frontends.isEmpty })
  }

  @Test("stay as they are while a definition is bad, and say so each time it is looked at")
  func badFile() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    try fixture.directory.write("services.d/web.json", "{")
    let report = try #require(try fixture.node.attach(try fixture.pod(2)))
    #expect(report.refusals.map(\.file) == ["web.json"])
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1", "10.1.0.2"])
    #expect(try fixture.node.attach(try fixture.pod(3)) == nil)
    #expect(try fixture.node.apply().refusals.count == 1)
    try fixture.directory.write("services.d/web.json", "{}", mode: 0o666)
    #expect(try fixture.node.apply().refusals.first?.reason.contains("everybody") == true)
  }

  @Test("come back after a reboot and after a flush, each with the next pod")
  func rebuilds() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    let address = try fixture.node.services().first?.service.clusterAddresses
    fixture.plane.flush()
    #expect(try fixture.node.attach(try fixture.pod(2))?.isRebuilt == true)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1", "10.1.0.2"])
    // A reboot: the kernel and /run are empty, /var/lib is not.
    fixture.plane.flush()
    fixture.directory.remove("run")
    #expect(try fixture.node.attach(try fixture.pod(3))?.isRebuilt == true)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.3"])
    #expect(try fixture.node.services().first?.service.clusterAddresses == address)
    // Elements alone are gone, which apply sees.
    fixture.plane.state.withLock { $0.frontends = [:] }
    #expect(try fixture.node.apply().isRebuilt)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.3"])
    // An ADD that finds the kernel otherwise than the store says makes all anew.
    fixture.plane.state.withLock { $0.frontends = [:] }
    #expect(try fixture.node.attach(try fixture.pod(4))?.isRebuilt == true)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.3", "10.1.0.4"])
  }

  @Test("are as before when the kernel refuses a pod")
  func refusal() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    let before = try fixture.files()
    fixture.plane.fail(.kernel(.init(operation: "commit", errno: .notPermitted)))
    #expect(throws: ServiceError.self) { try fixture.node.attach(try fixture.pod(2)) }
    #expect(try fixture.files() == before)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1"])
    // Also the first of all, for which everything has to be made.
    let fresh = try Fixture()
    try fresh.define("web")
    fresh.plane.fail(.kernel(.init(operation: "commit", errno: .notPermitted)))
    #expect(throws: ServiceError.self) { try fresh.node.attach(try fresh.pod(2)) }
    #expect(try fresh.files().filter { $0.contains("endpoints") } == [])
    #expect(try fresh.node.attach(try fresh.pod(2))?.isRebuilt == true)
    #expect(fresh.plane.backends(port: 80) == ["10.1.0.2"])
  }

  @Test("are made anew by whoever comes after somebody who died between kernel and files")
  func crash() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    // The batch is in, the file of the service is not, the mark is there.
    let store = fixture.node.store
    try store.setMark()
    let before = try #require(try fixture.node.services().first)
    var after = before
    after.endpoints.append(try fixture.pod(2).endpoint)
    after.settle()
    try fixture.plane.change(from: before.frontends, to: after.frontends)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1", "10.1.0.2"])

    #expect(try fixture.node.attach(try fixture.pod(3))?.isRebuilt == true)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1", "10.1.0.3"])
    // And a DEL that finds the mark.
    try store.setMark()
    try fixture.node.detach([try fixture.pod(1).owner])
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.3"])
    #expect(try store.stamp() != nil)
  }

  @Test(
    "lose a pod with its DEL or a GC, though the kernel's answer to its ADD was lost",
    arguments: [true, false])
  func lostAnswer(isNamed: Bool) throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    let pod = try fixture.pod(2)
    fixture.plane.loseAnswer()
    #expect(throws: ServiceError.self) { try fixture.node.attach(pod) }
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1", "10.1.0.2"])
    #expect(try fixture.node.owners(on: "net").map(\.container) == ["pod-1"])
    try fixture.node.detach(isNamed ? [pod.owner] : [])
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1"])
    #expect(try fixture.node.store.stamp() != nil)
    // Where nothing was left unfinished, nothing is made anew.
    let counts = fixture.plane.counts
    try fixture.node.detach([pod.owner])
    #expect(fixture.plane.counts == counts)
  }

  @Test("do without files that are damaged", arguments: ["by-name", "index", "endpoints"])
  func damagedFiles(_ kind: String) throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    for file in try fixture.files() where file.contains("/\(kind)/") {
      try fixture.directory.write(file, "{\"a\"", mode: 0o600)
    }
    #expect(try fixture.node.attach(try fixture.pod(2)) != nil || kind == "endpoints")
    let report = try fixture.node.apply()
    #expect(report.notices.isEmpty == (kind != "endpoints"))
    #expect(fixture.plane.backends(port: 80)?.contains("10.1.0.2") == true)
    try fixture.node.detach([try fixture.pod(1).owner, try fixture.pod(2).owner])
    #expect(fixture.plane.backends(port: 80) == [])
    #expect(try fixture.files().filter { $0.contains("endpoints") } == [])
  }

  @Test("go on with the settings that held when those in the file become bad")
  func settings() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    try fixture.directory.write("services.json", #"{"serviceRanges":["10.97.0.0/24"]}"#)
    _ = try fixture.node.attach(try fixture.pod(1))
    try fixture.directory.write("services.json", #"{"serviceRange":[]}"#)
    let report = try #require(try fixture.node.attach(try fixture.pod(2)))
    #expect(report.refusals.first?.path == "serviceRange")
    #expect(report.settings.serviceRanges == [try Subnet("10.97.0.0/24")])
    #expect(try fixture.node.obstacle()?.path == "serviceRange")
    try fixture.directory.write("services.json", #"{"serviceRanges":["10.98.0.0/24"]}"#)
    #expect(try fixture.node.apply().isRebuilt)
    #expect(try fixture.node.obstacle() == nil)
    let address = try #require(try fixture.node.services().first?.service.clusterAddresses.first)
    #expect(try Subnet("10.98.0.0/24").contains(address))
    // Where nothing has ever held, nothing is guessed.
    let fresh = try Fixture()
    try fresh.directory.write("services.json", "[]")
    #expect(throws: ServiceError.self) { try fresh.node.attach(try fresh.pod(1)) }
    #expect(try fresh.files().filter { $0.contains("endpoints") } == [])
  }

  @Test("take endpoints of slices, and refuse slices of nobody")
  func slices() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    try fixture.directory.write(
      "services.d/slices.json",
      """
      {"apiVersion":"v1","kind":"List","items":[
       {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
        "metadata":{"name":"web-1","labels":{"kubernetes.io/service-name":"web"}},
        "ports":[{"port":80}],"endpoints":[{"addresses":["10.2.0.1"]}]},
       {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
        "metadata":{"name":"web-2","labels":{"kubernetes.io/service-name":"gone"}},
        "ports":[{"port":80}],"endpoints":[{"addresses":["10.2.0.2"]}]}]}
      """)
    let report = try #require(try fixture.node.attach(try fixture.pod(1)))
    #expect(report.refusals.map(\.object) == ["EndpointSlice default/web-2"])
    #expect(Set(fixture.plane.backends(port: 80) ?? []) == ["10.1.0.1", "10.2.0.1"])
  }

  @Test("tell what of a pod is missing, and change nothing")
  func faults() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    let pod = try fixture.pod(1)
    #expect(try fixture.node.faults(of: pod.owner, pod.addresses).count == 1)
    _ = try fixture.node.attach(pod)
    #expect(try fixture.node.faults(of: pod.owner, [try IPAddress("10.1.0.9")]).count == 1)
    fixture.plane.state.withLock { $0.frontends = [:] }
    let before = try fixture.files()
    #expect(try fixture.node.faults(of: pod.owner, pod.addresses).first?.contains("80") == true)
    fixture.plane.flush()
    #expect(try fixture.node.faults(of: pod.owner, pod.addresses).first?.contains("table") == true)
    #expect(try fixture.files() == before)
  }

  @Test("wait for whoever is at work, and name him after a while")
  func lock() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    var impatient = fixture.node
    impatient.patience = .milliseconds(50)
    let held = try fixture.node.store.lock(timeout: .seconds(1))
    do {
      _ = try impatient.attach(try fixture.pod(2))
      Issue.record("two were at work at once")
    } catch ServiceError.busy(let error) {
      #expect("\(error)".contains("lock is held by process"))
    }
    _ = consume held
    #expect(try impatient.attach(try fixture.pod(2)) == nil)
  }

  @Test("touch nothing where there has never been any")
  func nothing() throws {
    let fixture = try Fixture()
    try fixture.node.detach([try fixture.pod(1).owner])
    #expect(try fixture.files() == [])
    #expect(try fixture.node.owners(on: "net") == [])
  }

  @Test("are found by one look for each label of a pod, however many there are")
  func index() throws {
    var services: [Service] = []
    for number in 0..<2_000 {
      var service = Service(try #require(ServiceName("web-\(number)")))
      service.selector = Selector(["part-of": "shop", "name": "web-\(number)"])
      services.append(service)
    }
    let index = ServiceIndex(services)
    #expect(index.files.values.allSatisfy { $0.count == 1 })
    var pod = PodIdentity()
    try pod.add(labels: ["part-of": "shop", "name": "web-7", "hash": "x"], from: "test")
    #expect(index.names(selecting: pod) == [ServiceName("web-7")])
    for entries in index.files.values.prefix(3) {
      #expect(try [ServiceIndex.Entry](parsing: entries.bytes) == entries)
    }
  }
}
