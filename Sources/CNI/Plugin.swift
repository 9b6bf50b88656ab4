/// A plugin: a name, and what it does when it is asked.
///
/// Only ``add(_:)`` must be written. A command that a plugin does not answer succeeds silently.
///
/// When a function is called, the environment is complete, the configuration has a valid name and a
/// version from ``supportedVersions``, and the container's namespace is not the host's. Whatever is
/// thrown reaches the runtime as the specification wants it.
public protocol Plugin: SendableMetatype {
  /// The name under which it lies on `CNI_PATH`.
  static var name: String { get }

  /// The versions of the specification that it speaks; all by default.
  static var supportedVersions: [SpecVersion] { get }

  /// Joins a container to the network.
  ///
  /// A function that throws has taken back what it did.
  ///
  /// - Parameter request: what is asked.
  /// - Returns: what has been made, in the newest shape.
  /// - Throws: ``ProtocolError``, told to the runtime as it is.
  static func add(_ request: Request) throws(ProtocolError) -> PluginResult

  /// Takes back what ``add(_:)`` did, and succeeds when there is nothing left to take back.
  ///
  /// It must not need the namespace or the previous result; both may be gone.
  ///
  /// - Parameter request: what is asked.
  /// - Throws: ``ProtocolError``, told to the runtime as it is.
  static func delete(_ request: Request) throws(ProtocolError)

  /// Throws if something that ``add(_:)`` made is missing or different.
  ///
  /// - Parameter request: what is asked.
  /// - Throws: ``ProtocolError``, told to the runtime as it is.
  static func check(_ request: Request) throws(ProtocolError)

  /// Puts back what ``add(_:)`` made and something has taken away since.
  ///
  /// What is there stays as it is, and packets go on; after a success ``check(_:)`` finds nothing.
  ///
  /// - Parameter request: what is asked, as for CHECK.
  /// - Throws: ``ProtocolError``: what cannot be put back.
  static func repair(_ request: Request) throws(ProtocolError)

  /// Takes back what attachments of this network left behind, except the valid ones.
  ///
  /// It goes on after errors and passes the command on to its delegates. It is not called when the
  /// runtime sends no list.
  ///
  /// - Parameters:
  ///   - request: what is asked.
  ///   - valid: the attachments to keep; if it is empty, none.
  /// - Throws: ``ProtocolError``, told to the runtime as it is.
  static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError)

  /// Throws code 50 or 51 if ``add(_:)`` could not be served now.
  ///
  /// - Parameter request: what is asked.
  /// - Throws: ``ProtocolError``, told to the runtime as it is.
  static func status(_ request: Request) throws(ProtocolError)

  /// Does what somebody asks who starts the program with words behind its name.
  ///
  /// Runtimes never do; a plugin that needs a daemon is started as one so.
  ///
  /// - Parameter words: what stands behind the name.
  /// - Returns: the exit code; `nil` when the words mean nothing here, and the environment counts.
  static func serve(_ words: [String]) -> Int32?
}

extension Plugin {
  /// All versions.
  public static var supportedVersions: [SpecVersion] { SpecVersion.all }

  /// Nothing to take back.
  public static func delete(_ request: Request) throws(ProtocolError) {}

  /// Nothing to look at.
  public static func check(_ request: Request) throws(ProtocolError) {}

  /// Nothing that could be put back: whatever is missing takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    do throws(ProtocolError) {
      try check(request)
    } catch {
      throw ProtocolError(
        error.code, error.message,
        details: "\(name) cannot put it back while the pod runs; start the pod again")
    }
  }

  /// Nothing left behind.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {}

  /// Always ready.
  public static func status(_ request: Request) throws(ProtocolError) {}

  /// No words mean anything.
  public static func serve(_ words: [String]) -> Int32? { nil }
}
