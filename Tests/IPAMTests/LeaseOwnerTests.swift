import IPAM
import Testing

@Suite("A lease's owner")
struct LeaseOwnerTests {
  @Test("is known without the white space around its texts")
  func trimmed() throws {
    let owner = try #require(LeaseOwner(container: " \tpod\r\n", interface: "eth0 "))
    #expect(owner.container == "pod")
    #expect(owner.interface == "eth0")
    #expect(owner == LeaseOwner(container: "pod", interface: "eth0"))
    #expect(owner != owner.containerAlone)
  }

  @Test(
    "does not exist if a file could not tell it from another",
    arguments: ["", " ", "a\r\nb", "a\nb", "a\u{0}b", "a\u{1b}b", "a\u{7f}"])
  func refused(_ text: String) {
    #expect(LeaseOwner(container: text, interface: "eth0") == nil)
    #expect(LeaseOwner(container: "pod", interface: text) == nil)
  }
}
