public import Addressing
public import Linux

/// The wire of one DHCPv6 conversation: a link with a link-local address that can be used.
public struct DHCPv6Socket: ~Copyable {
  private static let serverPort: UInt16 = 547
  private static let clientPort: UInt16 = 546
  /// ff02::1:2, all servers and relays of the link.
  private static let servers: [UInt8] =
    [0xff, 2] + [UInt8](repeating: 0, count: 11) + [1, 0, 2]

  private let socket: DatagramSocket

  /// Opens the wire in the namespace the thread stands in; it works from everywhere then.
  ///
  /// - Parameters:
  ///   - address: the link's own address, fe80::/10.
  ///   - link: the link's name.
  /// - Throws: `SystemError`; `EADDRNOTAVAIL` while the address is still being asked about.
  public init(from address: IPv6Address, onLink link: InterfaceName) throws(SystemError) {
    socket = try DatagramSocket(from: address.bytes, port: Self.clientPort, onLink: link.text)
  }

  /// Ready when a message has come.
  public var readiness: Readiness.Wish { socket.readiness }

  /// The next message that can be read.
  ///
  /// - Returns: the message; nil when nothing more has come.
  /// - Throws: `SystemError`.
  public borrowing func receive() throws(SystemError) -> DHCPv6Message? {
    while let bytes = try socket.receive() {
      if let message = DHCPv6Message(bytes) { return message }
    }
    return nil
  }

  /// Sends a message to all servers and relays of the link.
  ///
  /// - Throws: `SystemError`.
  public borrowing func send(_ message: DHCPv6Message) throws(SystemError) {
    try socket.send(message.bytes, to: Self.servers, port: Self.serverPort)
  }
}
