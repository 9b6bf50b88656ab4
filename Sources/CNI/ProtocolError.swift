/// What a plugin answers when it cannot do what it was asked.
///
/// Runtimes show ``message`` and ``details`` to people and act on ``code``.
public struct ProtocolError: Error, Hashable, Sendable {
  /// What kind of failure it is.
  public var code: Code
  /// The failure in one sentence: step, object, reason.
  public var message: String
  /// More of the same; empty when there is no more.
  public var details: String

  /// A failure to be told to the runtime.
  public init(_ code: Code, _ message: String, details: String = "") {
    self.code = code
    self.message = message
    self.details = details
  }
}

extension ProtocolError {
  /// The specification's error numbers; a delegate may answer with any other, which is kept.
  ///
  /// Below 100 they belong to the specification, from 100 to the plugins.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int

    /// Any number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The configuration's version is none that the plugin speaks.
    public static let incompatibleVersion = Code(rawValue: 1)
    /// A key of the configuration has a value that the plugin cannot serve.
    public static let unsupportedField = Code(rawValue: 2)
    /// The container is unknown or gone; the runtime need not clean up.
    public static let unknownContainer = Code(rawValue: 3)
    /// An environment variable is missing or bad.
    public static let invalidEnvironment = Code(rawValue: 4)
    /// Reading the configuration, writing the answer, or a file failed.
    public static let ioFailure = Code(rawValue: 5)
    /// Something is not the JSON it should be.
    public static let decodingFailure = Code(rawValue: 6)
    /// The configuration does not make sense.
    public static let invalidConfiguration = Code(rawValue: 7)
    /// The network namespace is not a container's.
    public static let invalidNamespace = Code(rawValue: 8)
    /// It may work later; nothing is broken.
    public static let tryAgainLater = Code(rawValue: 11)
    /// STATUS: the plugin could not serve ADD now.
    public static let notReady = Code(rawValue: 50)
    /// STATUS: as ``notReady``, and running containers may be cut off too.
    public static let limitedConnectivity = Code(rawValue: 51)
    /// Everything else; the number of upstream's library.
    public static let internalFailure = Code(rawValue: 999)
  }
}

extension ProtocolError: CustomStringConvertible {
  /// Message and details in one line.
  public var description: String {
    details.isEmpty ? message : "\(message); \(details)"
  }
}
