/// Who holds an address: one interface of one container.
///
/// Texts from outside are kept as they are but for white space around them; they are only ever
/// compared and written into lease files, and never become part of a path.
public struct LeaseOwner: Hashable, Sendable, CustomStringConvertible {
  /// The container's ID.
  public let container: String
  /// The interface's name inside the container; nil in leases of plugins before 2019, which wrote
  /// down the container alone.
  public let interface: String?

  /// Names an owner, if a lease file can tell it from another.
  ///
  /// There is no owner whose texts are empty, or hold a line break or another control character.
  ///
  /// - Parameters:
  ///   - container: the container's ID.
  ///   - interface: the interface's name; nil as in old leases.
  public init?(container: String, interface: String?) {
    guard let container = Self.word(container) else { return nil }
    self.container = container
    guard let interface else {
      self.interface = nil
      return
    }
    guard let interface = Self.word(interface) else { return nil }
    self.interface = interface
  }

  /// The same container, whatever the interface: what old lease files say.
  public var containerAlone: LeaseOwner {
    LeaseOwner(checkedContainer: container)
  }

  private init(checkedContainer container: String) {
    self.container = container
    interface = nil
  }

  /// A text without white space around it, if it is one line of something.
  private static func word(_ text: String) -> String? {
    let bytes = text.utf8
    guard
      let start = bytes.firstIndex(where: { !isSpace($0) }),
      let end = bytes.lastIndex(where: { !isSpace($0) })
    else { return nil }
    let word = bytes[start...end]
    // A control character within it would be read back as something else.
    guard word.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
    return String(text[start...end])
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte)
  }

  /// Container and interface, as people write them.
  public var description: String {
    interface.map { "\(container) (\($0))" } ?? container
  }
}
