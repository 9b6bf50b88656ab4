import Addressing
import CNI
import Linux
import Testing

@Suite("The environment of a plugin")
struct InvocationTests {
  static let complete = [
    "CNI_CONTAINERID": "pod-1", "CNI_NETNS": "/run/netns/x", "CNI_IFNAME": "eth0",
    "CNI_PATH": "/opt/cni/bin:/usr/lib/cni", "CNI_ARGS": "A=1",
  ]

  func invocation(
    _ command: Command, without: [String] = [], with changes: [String: String] = [:]
  ) throws -> Invocation {
    var variables = Self.complete.merging(changes) { $1 }
    for name in without { variables[name] = nil }
    return try Invocation(command, in: Environment(variables))
  }

  @Test("becomes types")
  func complete() throws {
    let invocation = try invocation(.add)
    #expect(invocation.container?.text == "pod-1")
    #expect(invocation.interface?.text == "eth0")
    #expect(invocation.namespacePath == "/run/netns/x")
    #expect(invocation.arguments == "A=1")
    #expect(invocation.pluginPath.directories == ["/opt/cni/bin", "/usr/lib/cni"])
  }

  struct Missing {
    let command: Command
    let names: [String]
  }

  @Test(
    "must hold what the command needs",
    arguments: [
      Missing(
        command: .add, names: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
      Missing(
        command: .check, names: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
      Missing(command: .delete, names: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]),
      Missing(command: .collectGarbage, names: ["CNI_PATH"]),
      Missing(command: .status, names: ["CNI_PATH"]),
      Missing(command: .version, names: []),
    ])
  func missing(_ missing: Missing) throws {
    let optional = Set(Self.complete.keys).subtracting(missing.names)
    #expect(throws: Never.self) {
      try invocation(missing.command, without: Array(optional))
    }
    for name in missing.names {
      let expected = ProtocolError(
        .invalidEnvironment, "required env variables [\(name)] missing")
      #expect(throws: expected) { try invocation(missing.command, without: [name]) }
      #expect(throws: expected) { try invocation(missing.command, with: [name: ""]) }
    }
    guard !missing.names.isEmpty else { return }
    let all = #expect(throws: ProtocolError.self) {
      try invocation(missing.command, without: missing.names)
    }
    let names = missing.names.joined(separator: ",")
    #expect(all?.message == "required env variables [\(names)] missing")
  }

  struct BadInterface {
    let name: String
    let message: String
    var details = ""
  }

  @Test(
    "must name an interface as the kernel can",
    arguments: [
      BadInterface(
        name: "sixteen-letters-", message: "interface name is too long",
        details: "interface name should be less than 16 characters"),
      BadInterface(name: ".", message: "interface name is . or .."),
      BadInterface(name: "..", message: "interface name is . or .."),
      BadInterface(
        name: "a/b", message: "interface name contains / or : or whitespace characters"),
      BadInterface(
        name: "a:b", message: "interface name contains / or : or whitespace characters"),
      BadInterface(
        name: "a b", message: "interface name contains / or : or whitespace characters"),
      BadInterface(
        name: "a\n", message: "interface name contains / or : or whitespace characters"),
    ])
  func interface(_ bad: BadInterface) {
    let error = #expect(throws: ProtocolError.self) {
      try invocation(.delete, with: ["CNI_IFNAME": bad.name])
    }
    #expect(error == ProtocolError(.invalidEnvironment, bad.message, details: bad.details))
  }

  @Test("may not name an interface that the kernel would complete", arguments: ["eth%d", "%"])
  func pattern(_ name: String) {
    let error = #expect(throws: ProtocolError.self) {
      try invocation(.add, with: ["CNI_IFNAME": name])
    }
    #expect(error?.code == .invalidEnvironment)
  }

  @Test("is judged by its bad values before its missing ones")
  func order() {
    let error = #expect(throws: ProtocolError.self) {
      try invocation(.add, without: ["CNI_CONTAINERID", "CNI_PATH"], with: ["CNI_IFNAME": "a/b"])
    }
    #expect(error?.message == "interface name contains / or : or whitespace characters")
  }

  @Test("may hold nonsense that the command does not need")
  func unneeded() throws {
    let nonsense = ["CNI_CONTAINERID": "../x", "CNI_IFNAME": "a/b"]
    #expect(throws: Never.self) { try invocation(.collectGarbage, with: nonsense) }
    #expect(throws: Never.self) { try invocation(.status, with: nonsense) }
    #expect(throws: Never.self) { try invocation(.version, with: nonsense) }
    #expect(try invocation(.delete, without: ["CNI_NETNS"]).namespacePath == nil)
    #expect(try invocation(.delete, with: ["CNI_NETNS": ""]).namespacePath == nil)
  }
}
