/// What was wrong with a text that should have been an address, a prefix, a name or a size.
public struct AddressParseError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The whole text that was refused.
  public let text: String
  /// What is wrong with it, as a clause without the text itself: "an octet is larger than 255".
  public let reason: String
  /// The byte of the text at which it went wrong, counted from 0.
  public let offset: Int

  /// Makes a refusal of `text`.
  public init(text: String, reason: String, offset: Int = 0) {
    self.text = text
    self.reason = reason
    self.offset = offset
  }

  /// The refusal as one clause: the text, the reason, and the place when it is not the beginning.
  public var description: String {
    let place = offset == 0 ? "" : " (at byte \(offset))"
    return "\"\(text)\": \(reason)\(place)"
  }
}
