/// A netlink message: one to be sent, or one that came back.
///
/// It is a value until it is sent: verbs make messages, and the caller decides whether each is
/// exchanged on its own or several go in one batch.
public struct Message: Hashable, Sendable {
  /// Type and flags; the socket fills in sequence and port.
  public var header: Header
  /// What follows the header: the family's fixed part, then attributes.
  public let payload: ArraySlice<UInt8>
  /// What it is meant to do, in words for error messages: "create link eth0".
  public let operation: String
  /// What the kernel is to say in return.
  public let answer: Answer
  /// It holds an attribute that is too long to be sent.
  let isOverlong: Bool

  /// What the kernel is to say in return.
  public enum Answer: Hashable, Sendable {
    /// That it is done, or why not. Sets `NLM_F_ACK`.
    case acknowledgement
    /// One message, or why not. Fits requests that read one thing: no second answer is waited for.
    case reply
    /// All entries up to an end mark. Sets `NLM_F_DUMP`.
    case listing
    /// Nothing, unless it fails. Fits the inner messages of a transaction.
    case silence
  }

  /// Writes a request.
  ///
  /// - Parameters:
  ///   - type: the request's number in its family.
  ///   - flags: in addition to those that the answer needs.
  ///   - answer: what the kernel is to say in return.
  ///   - operation: what it does, for error messages.
  ///   - body: writes the family's fixed part and the attributes.
  /// - Throws: what the body throws.
  public init<Failure: Error>(
    _ type: UInt16, flags: Header.Flags = [], answer: Answer = .acknowledgement,
    operation: String, _ body: (inout AttributeWriter) throws(Failure) -> Void
  ) throws(Failure) {
    var writer = AttributeWriter()
    try body(&writer)
    writer.align()
    header = Header(type: type, flags: flags.union(answer.flags))
    payload = writer.bytes[...]
    isOverlong = writer.isOverlong
    self.answer = answer
    self.operation = operation
  }

  /// Takes a message that came from the kernel.
  init(received header: Header, payload: ArraySlice<UInt8>) {
    self.header = header
    self.payload = payload
    isOverlong = false
    answer = .silence
    operation = ""
  }

  /// The attributes that follow a fixed part of so many bytes.
  public func attributes(after fixed: Int) -> AttributeReader {
    AttributeReader(payload.dropFirst((fixed + 3) & ~3))
  }

  /// An integer of the fixed part, in the host's order; nil if the message is too short for it.
  @inlinable public func fixed<Integer: FixedWidthInteger>(at offset: Int) -> Integer? {
    payload.native(at: offset)
  }
}

extension Message.Answer {
  /// The bits that make the kernel answer so.
  var flags: Header.Flags {
    switch self {
    case .acknowledgement: [.request, .acknowledge]
    case .reply, .silence: .request
    case .listing: [.request, .dump]
    }
  }
}

extension Message {
  /// Appends the message as it goes on the wire.
  func append(to buffer: inout [UInt8], sequence: UInt32, port: UInt32) {
    buffer.append(native: UInt32(Header.byteCount + payload.count))
    buffer.append(native: header.type)
    buffer.append(native: header.flags.rawValue)
    buffer.append(native: sequence)
    buffer.append(native: port)
    buffer.append(contentsOf: payload)
  }

  /// The messages that one received datagram holds.
  ///
  /// Bytes that cannot be a message end the list, and `isWhole` is then false.
  static func parse(_ datagram: [UInt8]) -> (messages: [Message], isWhole: Bool) {
    var messages: [Message] = []
    var rest = datagram[...]
    while !rest.isEmpty {
      guard let length: UInt32 = rest.native(at: 0), let type: UInt16 = rest.native(at: 4),
        let flags: UInt16 = rest.native(at: 6), let sequence: UInt32 = rest.native(at: 8),
        let port: UInt32 = rest.native(at: 12), length >= Header.byteCount, length <= rest.count
      else { return (messages, false) }
      let header = Header(
        type: type, flags: Header.Flags(rawValue: flags), sequence: sequence, port: port)
      let payload = rest.dropFirst(Header.byteCount).prefix(Int(length) - Header.byteCount)
      messages.append(Message(received: header, payload: payload))
      rest = rest.dropFirst((Int(length) + 3) & ~3)
    }
    return (messages, true)
  }
}
