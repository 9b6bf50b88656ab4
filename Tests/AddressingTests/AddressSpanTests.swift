import Addressing
import Testing

@Suite("Addresses that follow one another")
struct AddressSpanTests {
  private func span(_ subnet: String) throws -> AddressSpan { AddressSpan(try Subnet(subnet)) }

  @Test("are put together where they touch, and nowhere else")
  func united() throws {
    let spans = AddressSpan.all(
      of: try ["10.0.1.0/24", "10.0.0.0/24", "10.0.3.0/24", "10.0.3.128/25", "255.0.0.0/8"]
        .map { try Subnet($0) })
    #expect(try spans == [span("10.0.0.0/23"), span("10.0.3.0/24"), span("255.0.0.0/8")])
    #expect(try AddressSpan.united(spans + [span("0.0.0.0/0")]) == [span("0.0.0.0/0")])
    #expect(AddressSpan.united([]) == [])
  }

  @Test("leave what lies before and behind what is taken out")
  func without() throws {
    let all = try span("10.0.0.0/24")
    #expect(
      try all.without(span("10.0.0.64/26"))
        == [span("10.0.0.0/26"), span("10.0.0.128/25")])
    #expect(try all.without(span("10.0.0.0/25")) == [span("10.0.0.128/25")])
    #expect(try all.without(span("10.0.0.128/25")) == [span("10.0.0.0/25")])
    #expect(try all.without(span("10.0.0.0/8")) == [])
    #expect(try all.without(span("10.0.1.0/24")) == [all])
    let everything = try span("::/0")
    #expect(try everything.without(span("8000::/1")) == [span("::/1")])
  }

  @Test("contain what lies wholly in them")
  func contains() throws {
    let all = try span("10.0.0.0/24")
    #expect(try all.contains(span("10.0.0.0/24")))
    #expect(try all.contains(span("10.0.0.255/32")))
    #expect(try !all.contains(span("10.0.0.0/23")))
    #expect(try !span("0.0.0.0/0").contains(span("::/0")))
  }
}
