import CNI
import Testing

@Suite("A version of the specification")
struct SpecVersionTests {
  @Test(
    "is read from one to three numbers",
    arguments: [
      ("1", SpecVersion(1, 0, 0)), ("0.4", SpecVersion(0, 4, 0)), ("1.1.0", .v1_1_0),
      ("0.3.1", .v0_3_1), ("", .v0_1_0), ("10.20.30", SpecVersion(10, 20, 30)),
    ])
  func read(_ text: String, _ version: SpecVersion) throws {
    #expect(try SpecVersion(text) == version)
  }

  @Test(
    "is refused when it is no version",
    arguments: ["1.1.0.0", "v1", "1.", ".", "1.x.0", "-1.0.0", "+1.0", " 1.0", "1.0.0\n", "1e3"])
  func refused(_ text: String) {
    let error = #expect(throws: ProtocolError.self) { try SpecVersion(text) }
    #expect(error?.code == .decodingFailure)
  }

  @Test("is ordered by its numbers, not by its text")
  func order() {
    #expect(SpecVersion(0, 10, 0) > .v0_4_0)
    #expect(SpecVersion.all == SpecVersion.all.sorted())
    #expect(
      SpecVersion.all.map(\.description).joined(separator: ",")
        == "0.1.0,0.2.0,0.3.0,0.3.1,0.4.0,1.0.0,1.1.0")
    #expect(SpecVersion.newest == SpecVersion.all.last)
  }
}
