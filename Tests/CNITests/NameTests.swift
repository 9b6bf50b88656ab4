import CNI
import Testing

@Suite("Names from outside")
struct NameTests {
  static let good = ["a", "0", "a.b_c-d", "Z..", "0123456789abcdef", "x-"]
  static let bad = [
    "", ".", "..", "../x", "a/b", "_a", "-a", "a b", "a\n", "\na", "a\0", "é", "a;b", "a\"b", "a:b",
  ]

  @Test("A container ID and a network name may be", arguments: good)
  func accepted(_ text: String) throws {
    #expect(try ContainerID(text).text == text)
    #expect(try NetworkName(text).text == text)
  }

  @Test("A container ID and a network name may not be", arguments: bad)
  func refused(_ text: String) {
    let container = #expect(throws: ProtocolError.self) { try ContainerID(text) }
    let network = #expect(throws: ProtocolError.self) { try NetworkName(text) }
    if text.isEmpty {
      #expect(container == ProtocolError(.unknownContainer, "missing containerID"))
      #expect(network == ProtocolError(.invalidConfiguration, "missing network name"))
    } else {
      #expect(
        container
          == ProtocolError(.invalidEnvironment, "invalid characters in containerID", details: text))
      #expect(
        network
          == ProtocolError(
            .invalidConfiguration, "invalid characters found in network name", details: text))
    }
  }
}
