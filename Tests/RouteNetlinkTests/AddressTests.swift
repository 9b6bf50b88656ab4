import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Addresses", .needsRoot)
struct AddressTests {
  @Test("are given to a link with broadcast address and scope")
  func addsVersion4() throws {
    let seen = try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      try socket.addAddress(
        AddressEntry(try InterfaceAddress("10.1.2.3/24"), onLink: pair.link.index))
      return try Witness.addresses().first { $0.address == "10.1.2.3" }
    }
    #expect(seen?.text == "10.1.2.3/24")
    #expect(seen?.broadcast == "10.1.2.255")
    #expect(seen?.scope == 0)
    #expect(seen?.isPermanent == true)
  }

  @Test("are usable at once without duplicate detection")
  func addsVersion6WithoutDetection() throws {
    let seen = try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      try socket.addAddress(
        AddressEntry(
          try InterfaceAddress("fd00:1::3/64"), onLink: pair.link.index,
          flags: .withoutDuplicateDetection))
      return try Witness.addresses().first { $0.address == "fd00:1::3" }
    }
    #expect(seen?.text == "fd00:1::3/64")
    #expect(seen?.isTentative == false)
  }

  @Test("tell who gave them, and are not chosen for connections once they are deprecated")
  func marked() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      for (text, scope) in [("10.1.2.3/32", RouteScope.link), ("fd00:1::3/128", .universe)] {
        var entry = AddressEntry(
          try InterfaceAddress(text), onLink: pair.link.index,
          flags: [.withoutDuplicateDetection, .withoutSubnetRoute, .deprecated], scope: scope)
        entry.origin = AddressOrigin(rawValue: 196)
        try socket.addAddress(entry)
        let seen = try #require(try Witness.addresses().first { $0.text == text })
        #expect(seen.origin == 196)
        #expect(seen.scope == scope.rawValue)
        #expect(seen.isDeprecated && seen.isPermanent && seen.validLifetime == .max)
        let read = try socket.addresses(ofLink: pair.link.index)
        #expect(read.first { "\($0.address)" == text }?.origin == entry.origin)
        #expect(read.first { "\($0.address)" == text }?.flags.contains(.deprecated) == true)
      }
    }
  }

  @Test("that a link has already are told as already there, or changed if asked")
  func refusesTwice() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      for text in ["10.1.2.3/24", "fd00:1::3/64"] {
        let entry = AddressEntry(
          try InterfaceAddress(text), onLink: pair.link.index,
          flags: .withoutDuplicateDetection)
        try socket.addAddress(entry)
        // The link's own address comes by itself, when the kernel has time for it.
        func seen() throws -> [SeenAddress] { try Witness.addresses().filter { $0.text == text } }
        let before = try seen()
        let error = #expect(throws: NetlinkError.self) { try socket.addAddress(entry) }
        #expect(error?.isAlreadyThere == true)
        #expect(try seen() == before && before.count == 1)
        try socket.addAddress(entry, replacing: true)
      }
    }
  }

  @Test("are taken away, and once only")
  func deletes() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      for text in ["10.1.2.3/24", "fd00:1::3/64"] {
        let entry = AddressEntry(try InterfaceAddress(text), onLink: pair.link.index)
        try socket.addAddress(entry)
        try socket.deleteAddress(entry)
        #expect(try Witness.addresses(on: "eth0").isEmpty)
        let error = #expect(throws: NetlinkError.self) { try socket.deleteAddress(entry) }
        #expect(error?.isNotFound == true)
      }
    }
  }

  @Test("are listed for one link alone, of one family or both, as the witness sees them")
  func lists() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      let four = try InterfaceAddress("10.1.2.3/24")
      let six = try InterfaceAddress("fd00:1::3/64")
      try socket.addAddress(AddressEntry(four, onLink: pair.link.index))
      try socket.addAddress(AddressEntry(six, onLink: pair.link.index))
      let listed = try socket.addresses(ofLink: pair.link.index)
      let seen = try Witness.addresses().filter { $0.linkIndex == pair.link.index }
      #expect(Set(listed.map(\.address.description)) == Set(seen.map(\.text)))
      let fours = try socket.addresses(ofLink: pair.link.index, family: .v4)
      #expect(fours.map(\.address) == [four])
      #expect(fours.first?.broadcast?.description == "10.1.2.255")
      let all = try Witness.addresses()
      #expect(try socket.addresses().count == all.count)
    }
  }

  @Test("of a link that does not exist cannot be listed")
  func refusesUnknownLink() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let error = #expect(throws: NetlinkError.self) { try socket.addresses(ofLink: 4711) }
      #expect(error?.isNotFound == true)
    }
  }

  @Test("with another end keep it apart from their own")
  func readsPeer() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      var entry = AddressEntry(
        try InterfaceAddress("10.9.0.1/32"), onLink: pair.link.index, scope: .link)
      entry.peer = try IPAddress("10.9.0.2")
      try socket.addAddress(entry)
      let read = try socket.addresses(ofLink: pair.link.index, family: .v4).first
      #expect(read?.peer == entry.peer)
      #expect(read?.address == entry.address)
      #expect(read?.scope == .link)
      #expect(try Witness.addresses().first { $0.address == "10.9.0.1" }?.peer == "10.9.0.2")
    }
  }

  @Test("settle, and the wait ends by an event")
  func settles() throws {
    try FreshNamespace.run {
      let ear = try NetlinkSubscription<RouteFamily>.ofIPv6Addresses()
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      try socket.addAddress(
        AddressEntry(try InterfaceAddress("fd00:1::3/64"), onLink: pair.link.index))
      let before = try Witness.addresses().first { $0.address == "fd00:1::3" }
      #expect(before?.isTentative == true)
      let settled = try socket.settledAddresses(
        ofLink: pair.link.index, heardBy: ear, until: .now + .seconds(60))
      #expect(settled.contains { $0.address.description == "fd00:1::3/64" })
      let seen = try Witness.addresses().filter { $0.linkIndex == pair.link.index }
      let tentative = seen.filter(\.isTentative)
      #expect(tentative.isEmpty)
    }
  }

  @Test("that do not settle by the deadline are an error that says so")
  func timesOut() throws {
    try FreshNamespace.run {
      let ear = try NetlinkSubscription<RouteFamily>.ofIPv6Addresses()
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      // With the far end down the link has no carrier, and nobody can be asked.
      try socket.setLink(.name(pair.other), up: false)
      try socket.addAddress(
        AddressEntry(try InterfaceAddress("fd00:1::3/64"), onLink: pair.link.index))
      let error = #expect(throws: NetlinkError.self) {
        try socket.settledAddresses(
          ofLink: pair.link.index, heardBy: ear, until: .now + .milliseconds(1))
      }
      #expect(error?.cause == .timedOut)
    }
  }
}
