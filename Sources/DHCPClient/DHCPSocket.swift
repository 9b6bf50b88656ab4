public import Addressing
public import Linux

/// The wire of one conversation: a link, on which a client can speak without an address of its own.
///
/// What comes in is heard below IP, so it makes no difference whether the address is there yet. What
/// goes to a server goes through the kernel's routes.
public struct DHCPSocket: ~Copyable {
  private static let serverPort: UInt16 = 67
  private static let clientPort: UInt16 = 68

  private let link: InterfaceName
  private let packets: PacketSocket

  /// Opens the wire in the namespace the thread stands in; it works from everywhere then.
  ///
  /// - Parameters:
  ///   - link: the link's name.
  ///   - index: the link's number.
  /// - Throws: `SystemError`; `EPERM` without the privilege, `ENODEV` when the link is gone.
  public init(onLink link: InterfaceName, index: UInt32) throws(SystemError) {
    packets = try PacketSocket(udpTo: Self.clientPort, onLink: index)
    self.link = link
  }

  /// Ready when a packet has come.
  public var readiness: Readiness.Wish { packets.readiness }

  /// The next message that can be read.
  ///
  /// - Parameter passOver: told of each packet that is no message, and why.
  /// - Returns: the message; nil when nothing more has come.
  /// - Throws: `SystemError`.
  public borrowing func receive(
    _ passOver: (DHCPMessageError) -> Void = { _ in }
  ) throws(SystemError) -> DHCPMessage? {
    while let packet = try packets.receive() {
      let payload = UDPPacket.payload(
        of: packet.bytes, to: Self.clientPort, checksIntegrity: packet.hasChecksum)
      guard let payload else { continue }
      do throws(DHCPMessageError) {
        return try DHCPMessage(payload)
      } catch {
        passOver(error)
      }
    }
    return nil
  }

  /// Sends a message to all hosts of the link, from no address.
  ///
  /// - Throws: `SystemError`; `ENETDOWN` when the link is off.
  public borrowing func broadcast(_ message: DHCPMessage) throws(SystemError) {
    try packets.broadcast(
      UDPPacket.bytes(
        message.bytes, from: IPv4Address(0, 0, 0, 0), port: Self.clientPort,
        to: IPv4Address(255, 255, 255, 255), port: Self.serverPort))
  }

  /// Sends a message from an address of this host's, in the namespace the thread stands in.
  ///
  /// It goes out even if the address has just been taken from the link: servers take a release only
  /// from the address that is released.
  ///
  /// - Parameters:
  ///   - message: the message.
  ///   - source: the leased address.
  ///   - server: where to; all hosts of the link if nil.
  ///   - link: the link's name.
  ///   - patience: how long to wait until it has left the link, where the link goes next.
  /// - Throws: `SystemError`; `ENETUNREACH` when no route leads there.
  public static func send(
    _ message: DHCPMessage, from source: IPv4Address, to server: IPv4Address?,
    onLink link: InterfaceName, patience: Duration = .zero
  ) throws(SystemError) {
    let socket = try DatagramSocket(from: source.bytes, port: clientPort, onLink: link.text)
    try socket.send(
      message.bytes, to: (server ?? IPv4Address(255, 255, 255, 255)).bytes, port: serverPort)
    try socket.waitUntilSent(patience)
  }
}
