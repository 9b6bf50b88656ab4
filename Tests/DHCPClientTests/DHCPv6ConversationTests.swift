import Addressing
import Linux
import Testing

@testable import DHCPClient

@Suite("A DHCPv6 client")
struct DHCPv6ConversationTests {
  private let server = SimulatedDHCPv6Server()
  private let other = SimulatedDHCPv6Server(identifier: [0, 1, 0, 1, 8, 8])

  @Test("solicits, requests of whoever answers, renews, rebinds and loses")
  func life() throws {
    var client = DHCPv6Conversation.client()
    let solicit = try #require(client.begin(at: .at(0)).sent)
    #expect(solicit.kind == .solicit)
    #expect(solicit[1] == [0, 4] + [UInt8](1...16))
    #expect(solicit[3] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    #expect(solicit[6] == [0, 23, 0, 24])
    let request = try #require(
      client.receive(server.answer(.advertise, to: solicit), at: .at(1)).sent)
    #expect(request.kind == .request)
    #expect(request[2] == server.identifier)
    #expect(request[3]?.contains(0xfd) == true, "the address that was offered")
    #expect(client.receive(other.answer(.reply, to: request), at: .at(1)) == [])
    let steps = client.receive(server.answer(.reply, to: request), at: .at(2))
    guard case .granted(let lease)? = steps.first else {
      Issue.record("\(steps)")
      return
    }
    #expect(lease.address.description == "fd00::5")
    #expect(lease.renewal == .at(51) && lease.rebinding == .at(81) && lease.end == .at(101))
    #expect(client.due == .at(51))

    let renewal = try #require(client.pass(at: .at(51)).sent)
    #expect(renewal.kind == .renew && renewal[2] == server.identifier)
    #expect(renewal.transaction != request.transaction)
    var kinds: Set<DHCPv6Message.Kind> = []
    while let due = client.due, due < .at(101) {
      if let kind = client.pass(at: due).sent?.kind { kinds.insert(kind) }
      #expect(client.due.map { $0 > due } == true)
    }
    #expect(kinds == [.renew, .rebind])
    let end = client.pass(at: .at(101))
    #expect(end.first == .lost(lease, .expired))
    #expect(end.sent?.kind == .solicit)
    #expect(client.stop(at: .at(102)) == nil)
  }

  @Test("gives back what it has requested, which its server may have granted by now")
  func releaseOfRequested() throws {
    var client = DHCPv6Conversation.client()
    let solicit = try #require(client.begin(at: .at(0)).sent)
    var looking = client
    #expect(looking.stop(at: .at(1)) == nil, "nothing has been requested")
    let request = try #require(
      client.receive(server.answer(.advertise, to: solicit), at: .at(1)).sent)
    let end = client.stop(at: .at(2))
    let release = try #require(end)
    #expect(release.kind == .release && release[2] == server.identifier)
    #expect(release[3]?.dropFirst(12) == request[3]?.dropFirst(12), "the address")
    #expect(client.receive(server.answer(.reply, to: request), at: .at(3)) == [])
  }

  @Test("has more time from its own server in time, and from any server later")
  func extended() throws {
    var client = DHCPv6Conversation.client()
    try client.settle(with: server, at: .at(0))
    let renewal = try #require(client.pass(at: .at(50)).sent)
    #expect(client.receive(other.answer(.reply, to: renewal), at: .at(50)) == [])
    #expect(client.receive(server.answer(.reply, to: renewal), at: .at(50)).count == 1)
    #expect(client.lease?.end == .at(150) && client.phase == .bound)
    let rebinding = try #require(client.pass(at: .at(130)).sent)
    #expect(rebinding.kind == .rebind && rebinding[2] == nil)
    #expect(client.receive(other.answer(.reply, to: rebinding), at: .at(131)).count == 1)
    #expect(client.lease?.server == other.identifier)
  }

  @Test("gives its address back, and asks for it again after a restart")
  func restart() throws {
    var first = DHCPv6Conversation.client()
    let lease = try first.settle(with: server, at: .at(0))
    #expect(
      DHCPv6Message(lease.message.bytes).flatMap { DHCPv6Lease($0, askedAt: .at(0)) } == lease)
    var heir = DHCPv6Conversation.client(resuming: lease)
    let question = try #require(heir.begin(at: .at(10)).sent)
    #expect(question.kind == .rebind)
    // Until somebody answers the address is ours, as far as its time goes.
    #expect(heir.lease == lease)
    #expect(heir.receive(server.answer(.reply, to: question), at: .at(11)).count == 1)
    let release = heir.stop(at: .at(12))
    #expect(release?.kind == .release)
    #expect(release?[2] == server.identifier)
    #expect(release?[3]?.count == 40)

    var late = DHCPv6Conversation.client(resuming: lease)
    let steps = late.begin(at: .at(100))
    #expect(steps.first == .lost(lease, .expired))
    #expect(steps.sent?.kind == .solicit)
  }

  @Test(
    "asks a server that has forgotten the lease to give it again",
    arguments: [DHCPv6Message.Kind.renew, .rebind])
  func forgotten(kind: DHCPv6Message.Kind) throws {
    var client = DHCPv6Conversation.client()
    let lease = try client.settle(with: server, at: .at(0))
    let question = try #require(client.pass(at: .at(kind == .renew ? 50 : 80)).sent)
    #expect(question.kind == kind)
    let request = try #require(
      client.receive(server.refusal(3, of: question), at: .at(80)).sent)
    #expect(request.kind == .request && request[2] == server.identifier)
    #expect(client.lease == lease)
    var generous = server
    generous.offered[15] = 6
    #expect(client.receive(generous.answer(.reply, to: request), at: .at(81)).count == 1)
    #expect(client.lease?.address.description == "fd00::6")
  }

  @Test("keeps its address when a server cannot renew it, and goes on asking")
  func notRenewed() throws {
    for status in [1, 2, 5, 77] as [UInt8] {
      var client = DHCPv6Conversation.client()
      let lease = try client.settle(with: server, at: .at(0))
      let question = try #require(client.pass(at: .at(50)).sent)
      #expect(client.receive(server.refusal(status, of: question), at: .at(50)) == [])
      #expect(client.lease == lease && client.phase == .renewing)
      #expect(client.due.map { $0 > .at(50) && $0 <= .at(61) } == true)
    }
  }

  @Test("lets its address go when a server says that it is not for this link, or takes it back")
  func taken() throws {
    var moved = DHCPv6Conversation.client()
    let lease = try moved.settle(with: server, at: .at(0))
    let question = try #require(moved.pass(at: .at(80)).sent)
    let steps = moved.receive(server.refusal(4, of: question), at: .at(81))
    #expect(steps.first == .lost(lease, .refused))
    #expect(steps.sent?.kind == .solicit)

    var withdrawn = DHCPv6Conversation.client()
    let held = try withdrawn.settle(with: server, at: .at(0))
    let renewal = try #require(withdrawn.pass(at: .at(50)).sent)
    var strict = server
    strict.times = [0, 0, 0, 0]
    #expect(
      withdrawn.receive(strict.answer(.reply, to: renewal), at: .at(50)).first
        == .lost(held, .refused))
  }

  @Test("waits before it asks again when an offer is withdrawn, and then hears others first")
  func withdrawnOffer() throws {
    for status in [1, 2, 4] as [UInt8] {
      var client = DHCPv6Conversation.client()
      let solicit = try #require(client.begin(at: .at(0)).sent)
      let request = try #require(
        client.receive(server.answer(.advertise, to: solicit), at: .at(0)).sent)
      #expect(client.receive(server.refusal(status, of: request), at: .at(0)) == [])
      #expect(client.phase == .pausing && client.refusal?.rawValue == UInt16(status))
      let due = try #require(client.due)
      #expect(due >= .at(1))
      // What comes late is not waited for.
      #expect(client.receive(server.answer(.reply, to: request), at: .at(1)) == [])
      let second = try #require(client.pass(at: due).sent)
      #expect(second.kind == .solicit)
      #expect(client.receive(server.answer(.advertise, to: second), at: due) == [])
      var patient = client
      #expect(client.receive(other.answer(.advertise, to: second), at: due).sent?.kind == .request)
      // Nobody else is there.
      let third = try #require(patient.pass(at: patient.due ?? due).sent)
      #expect(
        patient.receive(server.answer(.advertise, to: third), at: due).sent?.kind == .request)
    }
  }

  @Test("declines an address that another host has, and looks for another after a while")
  func declined() throws {
    var client = DHCPv6Conversation.client()
    try client.settle(with: server, at: .at(0))
    let decline = try #require(client.decline(at: .at(2)).sent)
    #expect(decline.kind == .decline && decline[2] == server.identifier)
    #expect(decline[3]?.contains(0xfd) == true)
    #expect(client.lease == nil && client.phase == .pausing)
    let due = try #require(client.due)
    #expect(due >= .at(3))
    #expect(client.pass(at: due).sent?.kind == .solicit)
    #expect(client.decline(at: due) == [])
  }

  @Test("looks for another server when one that has offered says no more")
  func silent() throws {
    var client = DHCPv6Conversation.client()
    let solicit = try #require(client.begin(at: .at(0)).sent)
    _ = client.receive(server.answer(.advertise, to: solicit), at: .at(0))
    var kinds: [DHCPv6Message.Kind] = []
    while let due = client.due, due < .at(20), kinds.last != .solicit {
      if let kind = client.pass(at: due).sent?.kind { kinds.append(kind) }
    }
    #expect(kinds.count > 2 && kinds.dropLast().allSatisfy { $0 == .request })
    #expect(kinds.last == .solicit)
  }

  @Test("keeps an address for ever that was given for ever")
  func infinite() throws {
    var client = DHCPv6Conversation.client()
    var generous = server
    generous.times = [10, 20, .max, .max]
    let lease = try client.settle(with: generous, at: .at(0))
    #expect(lease.end == nil && client.due == nil)
    #expect(client.stop(at: .at(1_000_000))?.kind == .release)
  }

  @Test("takes nothing from those who have nothing to give, or speak to others")
  func useless() throws {
    var client = DHCPv6Conversation.client()
    let solicit = try #require(client.begin(at: .at(0)).sent)
    func change(_ edit: (inout SimulatedDHCPv6Server) -> Void) -> DHCPv6Message {
      var server = server
      edit(&server)
      return server.answer(.advertise, to: solicit)
    }
    var wrongTransaction = server.answer(.advertise, to: solicit)
    wrongTransaction.transaction ^= 1
    for useless in [
      change { $0.times = [0, 0, 0, 0] }, change { $0.times = [0, 0, 1, 1] },
      change { $0.times = [0, 0, 101, 100] }, change { $0.status = [0, 2] },
      change { $0.status = [0] }, change { $0.identifier = [] },
      change { $0.identifier = [UInt8](repeating: 1, count: 131) },
      change { $0.client = [0, 4, 1] }, change { $0.association = 2 },
      change { $0.offered = [0xff, 2] + [UInt8](repeating: 0, count: 13) + [1] },
      change { $0.offered = [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [1] },
      change { $0.offered = [UInt8](repeating: 0, count: 15) + [1] },
      server.answer(.reply, to: solicit), wrongTransaction,
      DHCPv6Message(
        .advertise, transaction: solicit.transaction,
        options: [.init(1, solicit[1] ?? []), .init(2, server.identifier)]),
    ] {
      #expect(client.receive(useless, at: .at(1)) == [])
    }
    #expect(client.phase == .soliciting)
    #expect(client.receive(server.refusal(2, of: solicit, .advertise), at: .at(1)) == [])
    #expect(client.refusal == .noAddresses)
    #expect(client.receive(change { _ in }, at: .at(1)).sent?.kind == .request)
  }

  @Test("tells name servers and domains, but none that are no such thing")
  func resolver() throws {
    var server = server
    let good = [0xfd] + [UInt8](repeating: 0, count: 14) + [0x53]
    let group = [0xff, 2] + [UInt8](repeating: 0, count: 13) + [1]
    server.options = [.init(23, good + group), .init(24, [1, 97, 3, 99, 111, 109, 0])]
    var client = DHCPv6Conversation.client()
    let lease = try client.settle(with: server, at: .at(0))
    #expect(lease.nameServers.map(\.description) == ["fd00::53"])
    #expect(lease.searchDomains == ["a.com"])
    server.options = [.init(23, [1, 2, 3]), .init(24, [3, 97, 10, 98, 0])]
    var second = DHCPv6Conversation.client()
    let none = try second.settle(with: server, at: .at(0))
    #expect(none.nameServers == [] && none.searchDomains == [])
  }

  @Test("survives bytes of any kind")
  func randomBytes() throws {
    let good = server.answer(.reply, to: DHCPv6Message(.request, transaction: 1)).bytes
    var read = 0
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...3) {
        bytes[.random(in: bytes.indices)] = .random(in: 0...255)
      }
      if Bool.random() { bytes.removeLast(.random(in: 0...bytes.count)) }
      guard let message = DHCPv6Message(bytes) else { continue }
      #expect(message.bytes == bytes)
      guard let lease = DHCPv6Lease(message, askedAt: .at(0)) else { continue }
      read += 1
      if let first = lease.renewal, let second = lease.rebinding, let end = lease.end {
        #expect(.at(0) < first && first <= second && second <= end)
      }
      #expect(lease.nameServers.count <= 16 && lease.searchDomains.count <= 32)
    }
    #expect(read > 100)
  }
}
