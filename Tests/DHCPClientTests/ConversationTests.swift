import Addressing
import DHCPClient
import Linux
import Testing

@Suite("A DHCP client")
struct ConversationTests {
  let server = SimulatedServer()

  @Test("asks as upstream's does, and takes what is offered first")
  func firstLease() throws {
    var client = try DHCPConversation.client()
    let first = client.begin(at: .at(1000))
    guard case .broadcast(let discover)? = first.first else {
      Issue.record("\(first)")
      return
    }
    #expect(discover.kind == .discover)
    #expect(discover.options[.clientIdentifier] == [0] + Array("pod-1/net/eth0".utf8))
    #expect(discover.options[.parameterRequestList] == [3, 1])
    #expect(discover.options[.requestedAddress] == nil)
    #expect(discover.clientAddress.bits == 0)
    #expect(!discover.wantsBroadcast)

    let other = SimulatedServer(address: IPv4Address(192, 168, 1, 2))
    let second = client.receive(server.answer(.offer, to: discover), at: .at(1001))
    #expect(client.receive(other.answer(.offer, to: discover), at: .at(1001)) == [])
    guard case .broadcast(let request)? = second.first else {
      Issue.record("\(second)")
      return
    }
    #expect(request.kind == .request)
    #expect(request.transaction == discover.transaction)
    #expect(request.options[.requestedAddress] == [192, 168, 1, 5])
    #expect(request.options[.serverIdentifier] == [192, 168, 1, 1])
    #expect(request.clientAddress.bits == 0)
    #expect(request.seconds == 1)

    // The other server takes the request for its own.
    #expect(client.receive(other.answer(.acknowledgement, to: request), at: .at(1002)) == [])
    #expect(client.receive(other.answer(.refusal, to: request), at: .at(1002)) == [])
    let third = client.receive(server.answer(.acknowledgement, to: request), at: .at(1003))
    guard case .granted(let lease)? = third.first else {
      Issue.record("\(third)")
      return
    }
    #expect(lease.interfaceAddress?.description == "192.168.1.5/24")
    #expect(lease.routers == [IPv4Address(192, 168, 1, 1)])
    // It counts from the request, not from the answer.
    #expect(lease.end == .at(1101))
    #expect(client.phase == .bound)
    #expect(!client.isListening)
  }

  @Test("passes over what is not for it")
  func strangers() throws {
    var client = try DHCPConversation.client()
    let discover = try #require(client.begin(at: .at(0)).sent)
    var foreign = discover
    foreign.transaction &+= 1
    #expect(client.receive(server.answer(.offer, to: foreign), at: .at(1)) == [])
    foreign = discover
    foreign.hardwareAddress = try HardwareAddress("02:00:5e:00:53:02")
    #expect(client.receive(server.answer(.offer, to: foreign), at: .at(1)) == [])
    var question = server.answer(.offer, to: discover)
    question.isReply = false
    #expect(client.receive(question, at: .at(1)) == [])
    #expect(client.receive(server.answer(.acknowledgement, to: discover), at: .at(1)) == [])
    #expect(client.receive(server.answer(.refusal, to: discover), at: .at(1)) == [])
    for useless in [
      server.saying(.leaseTime, [0, 0, 0, 0]), server.saying(.leaseTime, [0, 0, 0, 1]),
      server.saying(.leaseTime, [1]), SimulatedServer(offered: IPv4Address(0, 0, 0, 0)),
      SimulatedServer(offered: IPv4Address(127, 0, 0, 1)),
      SimulatedServer(offered: IPv4Address(224, 0, 0, 1)),
      SimulatedServer(offered: IPv4Address(255, 255, 255, 255)),
    ] {
      #expect(client.receive(useless.answer(.offer, to: discover), at: .at(1)) == [])
    }
    #expect(client.phase == .selecting)
  }

  @Test("asks again at once, then after 4, 8, 16, 32 and 62 seconds or so, and gives up in the end")
  func silence() throws {
    var client = try DHCPConversation.client()
    let first = try #require(client.begin(at: .at(0)).sent)
    var last = 0.0
    for wanted in [0.3, 4, 8, 16, 32, 62, 62] {
      let moment = try #require(client.due)
      let due = moment.seconds
      #expect(abs(due - last - wanted) <= 1)
      last = due
      #expect(client.pass(at: .at(due - 0.001)) == [])
      let again = try #require(client.pass(at: moment).sent)
      #expect(again.transaction == first.transaction)
      #expect(again.seconds == UInt16(due))
    }
    #expect(client.due == .at(208))
    #expect(client.pass(at: .at(208)) == [.gaveUp])
    #expect(client.phase == .idle)
    #expect(client.due == nil)
    #expect(client.stop(at: .at(209)) == nil)
  }

  @Test("looks for another server when the chosen one falls silent")
  func silentAfterOffer() throws {
    var client = try DHCPConversation.client()
    let discover = try #require(client.begin(at: .at(0)).sent)
    _ = client.receive(server.answer(.offer, to: discover), at: .at(0))
    var (steps, now) = try client.passToDue()
    #expect(steps.sent?.kind == .request)
    while steps.sent?.kind == .request { (steps, now) = try client.passToDue() }
    #expect(now == .at(10))
    #expect(steps.sent?.kind == .discover)
    #expect(steps.sent?.transaction != discover.transaction)
  }

  @Test("waits longer each time a server takes its offer back")
  func refusedOffers() throws {
    var client = try DHCPConversation.client()
    var discover = try #require(client.begin(at: .at(0)).sent)
    var now = BootTime.at(0)
    for wanted in [4.0, 8, 16] {
      let request = try #require(
        client.receive(server.answer(.offer, to: discover), at: now).sent)
      #expect(client.receive(server.answer(.refusal, to: request), at: now) == [])
      let due = try #require(client.due)
      #expect(abs((due.seconds - now.seconds) - wanted) <= 1)
      now = due
      discover = try #require(client.pass(at: now).sent)
      #expect(discover.kind == .discover)
    }
  }

  @Test("says what it is told to say, and its own identifier gives way")
  func provided() throws {
    var client = DHCPConversation(
      DHCPIdentity(
        clientIdentifier: DHCPIdentity.identifier("pod-1/net/eth0"),
        provided: [(.hostName, Array("blue".utf8)), (.clientIdentifier, Array("mine".utf8))],
        requested: [], wantsBroadcast: true),
      from: try HardwareAddress("02:00:5e:00:53:01"))
    let discover = try #require(client.begin(at: .at(0)).sent)
    #expect(discover.options[.hostName] == Array("blue".utf8))
    #expect(discover.options[.clientIdentifier] == Array("mine".utf8))
    #expect(discover.options[.parameterRequestList] == nil)
    #expect(discover.wantsBroadcast)
    let request = client.receive(server.answer(.offer, to: discover), at: .at(0)).sent
    #expect(request?.options[.hostName] == Array("blue".utf8))
    _ = client.receive(
      server.answer(.acknowledgement, to: try #require(request)), at: .at(0))
    #expect(
      [client.stop(at: .at(1))].compactMap { $0 }.sent?.options[.clientIdentifier]
        == Array("mine".utf8))
  }
}
