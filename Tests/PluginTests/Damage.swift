import Testing

/// What somebody has done behind a plugin's back, and what CHECK says of it.
struct Damage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Lines for `ip`, or for `nft` after that word.
  let onHost: [String]
  /// Lines for `ip` in the pod.
  let inPod: [String]
  let says: String

  init(_ description: String, onHost: String..., inPod: [String] = [], says: String) {
    (testDescription, self.onHost, self.inPod, self.says) = (description, onHost, inPod, says)
  }

  init(_ description: String, inPod: String..., says: String) {
    (testDescription, onHost, self.inPod, self.says) = (description, [], inPod, says)
  }
}

/// The same in one line, for `ip` in the pod or as the suite has it.
struct DamagingLine: Sendable, CustomTestStringConvertible {
  let command: String
  let says: String
  var testDescription: String { command }
}
