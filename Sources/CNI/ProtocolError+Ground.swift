public import Addressing
public import JSON
public import Linux

// Where the errors of the ground floor become those of the protocol: once, here.

extension ProtocolError {
  /// A call of the operating system failed.
  ///
  /// Code 11 where another attempt can succeed (a signal, no memory, something busy or locked), 5
  /// for everything else.
  public init(_ error: SystemError) {
    let code: Code =
      switch error.errno {
      case .interrupted, .tryAgain, .noMemory, .noBuffers, .busy, .timedOut: .tryAgainLater
      default: .ioFailure
      }
    self.init(code, error.description)
  }

  /// A known key of the configuration holds a value of the wrong kind.
  public init(_ error: JSONFieldError) {
    self.init(.invalidConfiguration, "failed to load netconf: \(error)")
  }

  /// What was read is not JSON.
  public init(_ error: JSONParseError) {
    self.init(.decodingFailure, error.description)
  }

  /// A key of the configuration holds a bad address, name or number.
  ///
  /// - Parameters:
  ///   - error: what is wrong with the text.
  ///   - key: where it stands, as in `ipam.ranges[0].subnet`.
  public init(_ error: AddressParseError, key: String) {
    self.init(.invalidConfiguration, "\(key): \(error)")
  }
}
