import Linux
import TestSupport
import Testing

@Suite("A TCP connection", .needsRoot)
struct TCPSocketTests {
  @Test(
    "carries bytes both ways inside a namespace",
    arguments: [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]])
  func carries(address: [UInt8]) throws {
    let heard = try FreshNamespace.run {
      let listener = try TCPListener(on: address)
      let near = try TCPConnection(to: address, port: listener.port, timeout: .seconds(60))
      let far = try listener.accept(timeout: .seconds(60))
      try near.send(Array("ping".utf8))
      let question = try far.receive(4, timeout: .seconds(60))
      try far.send(Array("pong".utf8))
      return [question, try near.receive(4, timeout: .seconds(60)), far.peer, near.peer]
    }
    #expect(heard == [Array("ping".utf8), Array("pong".utf8), address, address])
  }

  @Test("is refused where nobody listens, and impossible without a way there")
  func isRefused() throws {
    let errors = try FreshNamespace.run {
      let listener = try TCPListener(on: [127, 0, 0, 1])
      let port = listener.port
      _ = consume listener
      return [failure([127, 0, 0, 1], port: port), failure([192, 0, 2, 1], port: 1)]
    }
    #expect(errors == [.connectionRefused, .networkUnreachable])
  }

  private func failure(_ address: [UInt8], port: UInt16) -> Errno? {
    do throws(SystemError) {
      _ = try TCPConnection(to: address, port: port, timeout: .seconds(60))
      return nil
    } catch {
      return error.errno
    }
  }
}
