internal import CNI
internal import IPAM

extension ProtocolError {
  /// Tells why addresses were not given out, and what can be done about it.
  init(_ error: AllocationError, in directory: String) {
    switch error {
    case .exhausted:
      self.init(
        .tryAgainLater, error.description,
        details: "every address is leased in \(directory): delete containers, run GC, or widen "
          + "the range")
    case .taken:
      self.init(
        .tryAgainLater, error.description,
        details: "who has it is told in \(directory)")
    case .gateway, .notInRanges:
      self.init(
        .invalidConfiguration, error.description,
        details: "ask for an address of the configured ranges, or for none")
    case .reserved:
      self.init(
        .invalidConfiguration, error.description,
        details: "\"reservations\" in \"ipam\" says for whom; ask for another address, or for none")
    case .alreadyHeld:
      self.init(
        .internalFailure, error.description,
        details: "delete the attachment before it is added again")
    case .busy:
      self.init(
        .tryAgainLater, error.description,
        details: "if that process does not get on, end it")
    case .unsafe(let directory):
      self.init(
        .ioFailure, error.description,
        details: "give it to root and take the write permission of others away: "
          + "chown root \(directory); chmod 0755 \(directory)")
    case .store(let cause):
      self.init(cause)
      message = error.description
      details = directory
    }
  }
}
