import JSON
import Testing

/// Keys that a plugin refuses, and what it says of them.
struct Refusal: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let keys: JSONObject
  let says: String

  init(_ description: String, _ keys: JSONObject, says: String) {
    (testDescription, self.keys, self.says) = (description, keys, says)
  }

  /// Keys that need no other name than what is said of them.
  init(keys: JSONObject, says: String) {
    self.init(says, keys, says: says)
  }
}
