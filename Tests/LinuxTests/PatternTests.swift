import Linux
import Testing

@Suite("A pattern")
struct PatternTests {
  /// An expression, a text, and whether one fits the other.
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let text: String
    let fits: Bool

    var testDescription: String { "\(pattern) \(fits ? "fits" : "does not fit") \(text)" }
  }

  static let cases = [
    Case(pattern: "core", text: "net.core.somaxconn", fits: true),
    Case(pattern: "^core", text: "net.core.somaxconn", fits: false),
    Case(
      pattern: "^net\\.ipv[46]\\.conf\\.[^.]+\\.arp_(ignore|notify)$",
      text: "net.ipv4.conf.eth0.arp_notify", fits: true),
    Case(
      pattern: "^net\\.ipv[46]\\.conf\\.[^.]+\\.arp_(ignore|notify)$",
      text: "net.ipv4.conf.eth0.1.arp_notify", fits: false),
    Case(pattern: "^a{2,3}b?$", text: "aaa", fits: true),
    Case(pattern: "^a{2,3}b?$", text: "aaaa", fits: false),
    Case(pattern: "^net$", text: "net\nnet", fits: false),
    Case(pattern: "net", text: "net\u{0}", fits: false),
    Case(pattern: "", text: "anything", fits: true),
    Case(pattern: "é", text: "caf\u{e9}", fits: true),
  ]

  @Test("fits any part of a text that it describes", arguments: cases)
  func fits(_ example: Case) throws {
    let pattern = try Pattern(example.pattern)
    for _ in 1...2 {
      let fits = pattern.fits(example.text)
      #expect(fits == example.fits)
    }
  }

  @Test("that makes no sense is refused with the reason", arguments: ["(", "[a", "a{2", "a\u{0}b"])
  func refuses(_ text: String) {
    let error = #expect(throws: PatternError.self) { _ = try Pattern(text) }
    #expect(error?.text == text)
    #expect(error?.reason.isEmpty == false)
  }
}
