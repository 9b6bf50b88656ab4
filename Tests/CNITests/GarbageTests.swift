import CNI
import JSON
import TestSupport
import Testing

@Suite("GC")
struct GarbageTests {
  func collect(_ members: String) throws -> PluginOutcome {
    try PluginRun(.fixtures).collectGarbage(
      PluginCall("echo", #"{"cniVersion":"1.1.0","name":"net"\#(members)}"#))
  }

  @Test("hands the list to the plugin")
  func list() throws {
    #expect(
      try collect(
        #","cni.dev/valid-attachments":[{"containerID":"b","ifname":"eth0"},{"containerID":"a","ifname":"eth1"}]"#
      ).log == "echo: GC\necho: keeps a/eth1 b/eth0\n")
  }

  @Test("keeps nothing when the list is empty")
  func empty() throws {
    let outcome = try collect(#","cni.dev/valid-attachments":[]"#)
    #expect(outcome.exitCode == 0)
    #expect(outcome.log == "echo: GC\necho: keeps \n")
  }

  @Test(
    "frees nothing when there is no list",
    arguments: ["", #","cni.dev/valid-attachments":null"#, #","valid-attachments":[]"#])
  func absent(_ members: String) throws {
    let outcome = try collect(members)
    #expect(outcome.exitCode == 1)
    #expect(outcome.error?.code == .invalidConfiguration)
    #expect(outcome.log == "")
  }

  @Test("understands the key of early runtimes, but not before the right one")
  func oldKey() throws {
    let old = #","cni.dev/attachments":[{"containerID":"a","ifname":"eth0"}]"#
    #expect(try collect(old).log.contains("keeps a/eth0"))
    #expect(try collect(old + #","cni.dev/valid-attachments":[]"#).log.contains("keeps \n"))
  }

  @Test(
    "frees nothing when an element cannot be read",
    arguments: [
      #"{}"#, #"[{"containerID":"a"}]"#, #"[{"ifname":"eth0"}]"#, #"["a"]"#, #"[null]"#,
      #"[{"containerID":"../a","ifname":"eth0"}]"#, #"[{"containerID":"","ifname":"eth0"}]"#,
      #"[{"containerID":"a","ifname":"a/b"}]"#, #"[{"containerID":1,"ifname":"eth0"}]"#,
    ])
  func unreadable(_ list: String) throws {
    let outcome = try collect(#","cni.dev/valid-attachments":\#(list)"#)
    #expect(outcome.error?.code == .invalidConfiguration)
    #expect(outcome.log == "")
  }
}
