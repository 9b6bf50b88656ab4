import CNI
import JSON
import TestSupport
import Testing

@Suite("The version that runtime and plugin agree on")
struct NegotiationTests {
  func ask(_ command: String, version: String, plugin: String = "echo") throws -> PluginOutcome {
    let configuration: JSONValue = [
      "cniVersion": .string(version), "name": "net", "cni.dev/valid-attachments": [],
    ]
    return try PluginRun(.fixtures).ask(
      command,
      PluginCall(plugin, JSONWriter.text(configuration), namespace: "/run/netns/nothing"))
  }

  @Test("is every known one, and the result has it", arguments: SpecVersion.all)
  func known(_ version: SpecVersion) throws {
    let outcome = try ask("ADD", version: version.description)
    #expect(try outcome.document()["cniVersion"] == .string(version.description))
    #expect(try ask("DEL", version: version.description).exitCode == 0)
  }

  // The list in the details is what upstream prints.
  @Test(
    "is none that is written otherwise or unknown",
    arguments: ["0.4", "1", "1.1", "1.2.0", "2.0.0", "0.3.2", "abc", "1.1.0 ", "v1.0.0", "01.0.0"],
    ["ADD", "DEL"])
  func unknown(_ version: String, _ command: String) throws {
    let outcome = try ask(command, version: version)
    #expect(
      outcome.error
        == ProtocolError(
          .incompatibleVersion, "incompatible CNI versions",
          details: "config is \"\(version)\", plugin supports "
            + #"["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#))
    #expect(outcome.log == "")
    #expect(try outcome.document()["cniVersion"] == "1.1.0")
  }

  @Test("allows CHECK from 0.4.0, GC and STATUS from 1.1.0", arguments: SpecVersion.all)
  func minimum(_ version: SpecVersion) throws {
    for (command, minimum) in [
      ("CHECK", SpecVersion.v0_4_0), ("GC", .v1_1_0), ("STATUS", .v1_1_0),
    ] {
      let outcome = try ask(command, version: version.description)
      if version >= minimum {
        #expect(outcome.exitCode == 0)
      } else {
        #expect(
          outcome.error
            == ProtocolError(
              .incompatibleVersion, "config version does not allow \(command)"))
      }
    }
  }

  @Test("may be one that only some plugins speak")
  func someVersions() throws {
    #expect(try ask("ADD", version: "0.4.0", plugin: "bare").exitCode == 0)
    #expect(
      try ask("ADD", version: "0.3.1", plugin: "bare").error?.details
        == #"config is "0.3.1", plugin supports ["0.4.0" "1.0.0"]"#)
    #expect(try ask("CHECK", version: "1.0.0", plugin: "bare").exitCode == 0)
    #expect(
      try ask("CHECK", version: "1.1.0", plugin: "bare").error
        == ProtocolError(.incompatibleVersion, "plugin version does not allow CHECK"))
    #expect(
      try ask("GC", version: "1.1.0", plugin: "bare").error
        == ProtocolError(.incompatibleVersion, "plugin version does not allow GC"))
  }

  @Test("must be comparable where it is compared", arguments: ["CHECK", "GC", "STATUS"])
  func incomparable(_ command: String) throws {
    #expect(try ask(command, version: "abc").error?.code == .decodingFailure)
    #expect(try ask(command, version: "1.1.0.0").error?.code == .decodingFailure)
  }
}
