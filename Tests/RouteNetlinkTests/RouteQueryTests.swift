import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing

@Suite("A question about a route", .needsRoot)
struct RouteQueryTests {
  @Test("is answered as the kernel would send the packet, or says why it would not")
  func answers() throws {
    let answers = try FreshNamespace.run {
      let socket = try NetlinkSocket<RouteFamily>()
      let pair = try PairFixture(socket)
      let other = try socket.link(named: pair.other)
      try socket.addAddress(
        AddressEntry(try InterfaceAddress("10.1.2.1/24"), onLink: pair.link.index))
      try socket.addAddress(
        AddressEntry(try InterfaceAddress("10.9.0.1/24"), onLink: other.index))
      for link in [pair.link.name.text, other.name.text, "all"] {
        try Sysctl.write(["net", "ipv4", "conf", link, "rp_filter"], "1")
      }
      var said: [String] = []
      func ask(
        to destination: String, from source: String? = nil, by input: UInt32? = nil,
        mark: UInt32 = 0
      ) throws {
        var query = RouteQuery(
          to: try IPAddress(destination), from: try source.map { try IPAddress($0) })
        query.inputIndex = input
        query.mark = mark
        query.transport = .tcp
        query.destinationPort = 80
        switch try socket.answer(query) {
        case .route(let route):
          said.append(
            "type \(route.type.rawValue) by \(route.linkIndex == pair.link.index ? "link" : "other")"
              + " from \(route.source.map { "\($0)" } ?? "-") table \(route.table.rawValue)")
        // Kernels before 6.13 tell reverse paths apart from sources that cannot be.
        case .refused(let errno): said.append(errno.name == "EXDEV" ? "EINVAL" : errno.name)
        }
      }
      try ask(to: "10.1.2.9")
      try ask(to: "192.0.2.9")
      try ask(to: "10.9.0.1", from: "10.1.2.9", by: pair.link.index)
      try Sysctl.write(["net", "ipv4", "ip_forward"], "0")
      try ask(to: "10.9.0.9", from: "10.1.2.9", by: pair.link.index)
      try Sysctl.write(["net", "ipv4", "ip_forward"], "1")
      try ask(to: "10.9.0.9", from: "10.1.2.9", by: pair.link.index)
      try ask(to: "10.1.2.9", from: "10.1.2.8", by: other.index)
      try ask(to: "10.1.2.9", from: "10.1.2.1", by: other.index)
      var route = RouteEntry(to: try Subnet("203.0.113.0/24"))
      route.type = .blackhole
      try socket.addRoute(route)
      try ask(to: "203.0.113.1")
      return said
    }
    #expect(
      answers == [
        "type 1 by link from 10.1.2.1 table 254", "ENETUNREACH", "type 2 by other from - table 254",
        "EHOSTUNREACH", "type 1 by other from - table 254", "EINVAL", "EINVAL", "EINVAL",
      ])
  }
}
