import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing
import Witness

@Suite("A comment", .needsRoot)
struct UserDataTests {
  @Test(
    "is cut where nft could not load it again, between characters",
    arguments: [
      (String(repeating: "x", count: 127), 127), (String(repeating: "x", count: 128), 127),
      (String(repeating: "x", count: 126) + "é", 126), ("", 0),
    ])
  func cut(_ text: String, _ length: Int) throws {
    let (comment, listing) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      let table = Table(family: .inet, name: "mine")
      let set = NamedSet("pods", in: table, key: [.ipv4Address])
      let key = ElementKey(.address(try IPAddress("10.1.2.3")))
      var transaction = Transaction()
      transaction.add(table)
      transaction.add(set)
      transaction.add(Element(key, comment: text), to: set, ifThere: .refused)
      try socket.commit(transaction)
      let listing = try nft(["list", "ruleset"])
      _ = try nft(["flush", "ruleset"])
      _ = try nft(["-f", "-"], input: listing)
      return (try socket.elements(of: set).first?.comment, listing)
    }
    #expect(comment?.utf8.count == length)
    #expect(listing.contains("comment \"\(text.prefix(while: { $0 != "é" }).prefix(length))"))
  }
}
