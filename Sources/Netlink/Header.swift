/// What stands before the payload of every netlink message.
///
/// Its length field is not kept: it follows from the payload.
///
/// Kernel name: `struct nlmsghdr`.
public struct Header: Hashable, Sendable {
  /// The bytes a header takes on the wire.
  public static let byteCount = 16

  /// What the message says; below 16 it speaks about the conversation itself.
  public var type: UInt16
  /// How the message wants to be taken.
  public var flags: Flags
  /// Ties an answer to its request.
  public var sequence: UInt32
  /// The address of the socket that asked.
  public var port: UInt32

  /// Makes a header from its parts.
  public init(type: UInt16, flags: Flags = [], sequence: UInt32 = 0, port: UInt32 = 0) {
    self.type = type
    self.flags = flags
    self.sequence = sequence
    self.port = port
  }
}

extension Header {
  /// How a message wants to be taken.
  ///
  /// The kernel gives some bits two meanings: `replace` and `exclusive` in a request that makes
  /// something, together a listing in a request that reads. The second meaning is not written
  /// here; it is asked for with `Message.Answer.listing`.
  public struct Flags: OptionSet, Hashable, Sendable {
    /// The bits as the kernel has them.
    public let rawValue: UInt16

    /// Takes any bits.
    public init(rawValue: UInt16) {
      self.rawValue = rawValue
    }

    /// This is a request. `NLM_F_REQUEST`
    public static let request = Flags(rawValue: 0x1)
    /// More parts follow, up to the end mark. `NLM_F_MULTI`
    public static let multipart = Flags(rawValue: 0x2)
    /// Success is to be answered too. `NLM_F_ACK`
    public static let acknowledge = Flags(rawValue: 0x4)
    /// The change is to be told to the one who makes it. `NLM_F_ECHO`
    public static let echo = Flags(rawValue: 0x8)
    /// The listing changed while it was read. `NLM_F_DUMP_INTR`
    public static let interrupted = Flags(rawValue: 0x10)
    /// The listing honoured the filter of its request. `NLM_F_DUMP_FILTERED`
    public static let filtered = Flags(rawValue: 0x20)
    /// All entries instead of one. `NLM_F_DUMP`
    static let dump = Flags(rawValue: 0x300)

    /// Takes the place of what is there. `NLM_F_REPLACE`
    public static let replace = Flags(rawValue: 0x100)
    /// Refuses if it is there already. `NLM_F_EXCL`
    public static let exclusive = Flags(rawValue: 0x200)
    /// Makes it if it is not there. `NLM_F_CREATE`
    public static let create = Flags(rawValue: 0x400)
    /// Goes to the end of the list. `NLM_F_APPEND`
    public static let append = Flags(rawValue: 0x800)

    /// An error answer that does not repeat the request. `NLM_F_CAPPED`
    static let capped = Flags(rawValue: 0x100)
    /// An error answer with attributes at its end. `NLM_F_ACK_TLVS`
    static let extended = Flags(rawValue: 0x200)
  }
}
