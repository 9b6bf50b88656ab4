import Addressing
import DHCPClient
import Linux
import Testing

/// What a client does that has a lease.
extension ConversationTests {
  @Test("renews at half its time, from its address to its server")
  func renewal() throws {
    var client = try DHCPConversation.client()
    let lease = try client.settle(with: server, at: .at(0))
    let (steps, now) = try client.passToDue()
    #expect(47.5...50 ~= now.seconds)
    guard case .send(let request, let from, let to)? = steps.first else {
      Issue.record("\(steps)")
      return
    }
    #expect(request.kind == .request)
    #expect(request.clientAddress == lease.address && from == lease.address)
    #expect(to == server.address)
    #expect(request.options[.requestedAddress] == nil)
    #expect(request.options[.serverIdentifier] == nil)
    let answer = server.saying(.subnetMask, nil).answer(.acknowledgement, to: request)
    guard case .granted(let renewed)? = client.receive(answer, at: now + .seconds(1)).first else {
      Issue.record("no lease")
      return
    }
    // The mask is remembered where the server does not say it again.
    #expect(renewed.interfaceAddress == lease.interfaceAddress)
    #expect(renewed.end == now + .seconds(100))
  }

  @Test("asks its server, then any server, then looks for a new address")
  func serverGone() throws {
    var client = try DHCPConversation.client()
    let lease = try client.settle(with: server, at: .at(0))
    var asked: [(at: Double, toAll: Bool)] = []
    var end: [DHCPConversation.Step] = []
    while end == [] {
      let (steps, now) = try client.passToDue()
      if case .send(_, lease.address, let to)? = steps.first {
        asked.append((now.seconds, to == nil))
      } else {
        end = steps
        #expect(now == .at(100))
      }
    }
    #expect(asked.filter { !$0.toAll }.allSatisfy { 47.5..<87.5 ~= $0.at })
    #expect(asked.filter(\.toAll).allSatisfy { 87.5..<100 ~= $0.at })
    #expect(asked.filter(\.toAll).count >= 2 && asked.filter { !$0.toAll }.count >= 2)
    let pauses = zip(asked, asked.dropFirst()).map { $1.at - $0.at }
    #expect(pauses.dropLast().allSatisfy { $0 >= 1 })

    #expect(end.first == .lost(lease, .expired))
    let discover = try #require(end.sent)
    #expect(discover.kind == .discover)
    #expect(discover.seconds == 0)
    // Now there is no end to its patience.
    for _ in 1...20 { #expect(try client.passToDue().steps.sent?.kind == .discover) }
    #expect(client.stop(at: .at(5000)) == nil)
  }

  @Test("leaves its address at once when a server says so", arguments: [0.6, 0.9])
  func refusal(part: Double) throws {
    var client = try DHCPConversation.client()
    let lease = try client.settle(with: server, at: .at(0))
    let question = try #require(client.pass(at: .at(part * 100)).sent)
    let steps = client.receive(server.answer(.refusal, to: question), at: .at(part * 100))
    #expect(steps.first == .lost(lease, .refused))
    #expect(steps.sent?.kind == .discover)
    #expect(client.lease == nil)
  }

  @Test("takes another address in a renewal for the new one")
  func otherAddress() throws {
    var client = try DHCPConversation.client()
    _ = try client.settle(with: server, at: .at(0))
    let question = try #require(client.pass(at: .at(90)).sent)
    let other = SimulatedServer(
      address: IPv4Address(192, 168, 1, 2), offered: IPv4Address(192, 168, 1, 77))
    let steps = client.receive(other.answer(.acknowledgement, to: question), at: .at(90))
    guard case .granted(let lease)? = steps.first else {
      Issue.record("\(steps)")
      return
    }
    #expect(lease.address == IPv4Address(192, 168, 1, 77))
    #expect(lease.server == other.address)
  }

  @Test("asks after a restart whether its lease still holds")
  func reboot() throws {
    var client = try DHCPConversation.client()
    let lease = try client.settle(with: server, at: .at(0))

    var heir = try DHCPConversation.client()
    let steps = heir.resume(lease, at: .at(30))
    guard case .broadcast(let request)? = steps.first else {
      Issue.record("\(steps)")
      return
    }
    #expect(request.kind == .request)
    #expect(request.options[.requestedAddress] == [192, 168, 1, 5])
    #expect(request.options[.serverIdentifier] == nil)
    #expect(request.clientAddress.bits == 0)
    var confirmed = heir
    let answer = confirmed.receive(server.answer(.acknowledgement, to: request), at: .at(31))
    #expect(confirmed.lease?.end == .at(130))
    #expect(answer.count == 1)
    var refused = heir
    #expect(
      refused.receive(server.answer(.refusal, to: request), at: .at(31)).first
        == .lost(lease, .refused))

    // Nobody answers: the promise holds, with its old times.
    var now = BootTime.at(30)
    while heir.phase == .rebooting { now = try heir.passToDue().now }
    #expect(now == .at(40))
    #expect(heir.lease == lease)
    #expect(heir.phase == .bound)
    let renewal = try heir.passToDue()
    #expect(47.5...50 ~= renewal.now.seconds)
    #expect(renewal.steps.sent?.kind == .request)

    var late = try DHCPConversation.client()
    #expect(late.resume(lease, at: .at(100)).first == .lost(lease, .expired))
  }

  @Test("gives its address back, from that address")
  func release() throws {
    var client = try DHCPConversation.client()
    let lease = try client.settle(with: server, at: .at(0))
    guard case .send(let message, let from, let to)? = client.stop(at: .at(10)) else {
      Issue.record("nothing sent")
      return
    }
    #expect(message.kind == .release)
    #expect(message.clientAddress == lease.address && from == lease.address)
    #expect(to == server.address)
    #expect(message.options[.serverIdentifier] == server.address.bytes)
    #expect(message.options[.clientIdentifier] == [0] + Array("pod-1/net/eth0".utf8))
    #expect(message.options[.parameterRequestList] == nil)
    #expect(client.stop(at: .at(11)) == nil)
  }

  @Test("gives back what it has requested, which its server may have granted by now")
  func releaseOfRequested() throws {
    var client = try DHCPConversation.client()
    let discover = try #require(client.begin(at: .at(0)).sent)
    var looking = client
    #expect(looking.stop(at: .at(1)) == nil, "nothing has been requested")
    let request = try #require(
      client.receive(server.answer(.offer, to: discover), at: .at(0)).sent)
    let end = client.stop(at: .at(1))
    let release = try #require([end].compactMap { $0 }.sent)
    #expect(release.kind == .release)
    #expect(release.clientAddress.bytes == request.options[.requestedAddress])
    #expect(release.options[.serverIdentifier] == server.address.bytes)
    #expect(client.receive(server.answer(.acknowledgement, to: request), at: .at(2)) == [])
    #expect(client.phase == .idle)
  }

  @Test("never asks faster than once a second, however short or odd the lease")
  func shortLeases() throws {
    for seconds in [2, 3, 4, 10, 59, 3600] {
      for (first, second) in [(0, 0), (1, 1), (1, 2), (90, 1), (Int(UInt32.max), 0)] {
        let server = server.saying(.leaseTime, IPv4Address(bits: UInt32(seconds)).bytes)
          .saying(.renewalTime, IPv4Address(bits: UInt32(first)).bytes)
          .saying(.rebindingTime, IPv4Address(bits: UInt32(second)).bytes)
        var client = try DHCPConversation.client()
        _ = try client.settle(with: server, at: .at(0))
        var sent = 0
        var now = BootTime.at(0)
        while now < .at(60) {
          let (steps, due) = try client.passToDue()
          #expect(due > now)
          now = due
          if steps.sent != nil { sent += 1 }
        }
        #expect(sent <= 62, "\(seconds) s, T1 \(first), T2 \(second)")
      }
    }
  }

  @Test("rests for ever on a lease without end")
  func infinite() throws {
    var client = try DHCPConversation.client()
    let server = server.saying(.leaseTime, [255, 255, 255, 255])
    let lease = try client.settle(with: server, at: .at(0))
    #expect(lease.end == nil)
    #expect(client.due == nil)
    #expect(client.pass(at: .at(1e9)) == [])
    #expect(client.stop(at: .at(1e9)) != nil)
  }
}
