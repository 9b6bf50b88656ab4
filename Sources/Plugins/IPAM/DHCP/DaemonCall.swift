internal import CNI
internal import JSON
internal import Linux

/// The plugin's side of the daemon's socket.
enum DaemonCall {
  /// Upstream's place.
  static let usualPath = "/run/cni/dhcp.sock"

  /// The longest order and the longest answer, in bytes.
  static let limit = 4 << 20

  /// How long the daemon may be silent: while it waits for a server it says so in between.
  private static let patience = Duration.seconds(30)

  /// How often in a row the socket may be ready for nothing, before that is an error.
  private static let fruitlessLimit = 100

  /// Where the daemon listens, by the configuration.
  static func path(_ request: Request) throws(ProtocolError) -> String {
    let ipam = try request.configuration.ipam
    let path = try ipam?.read { fields throws(JSONFieldError) in
      try fields.text("daemonSocketPath")
    }
    guard let path, !path.isEmpty else { return usualPath }
    guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
      throw ProtocolError(
        .invalidConfiguration, "ipam.daemonSocketPath: \(path.inQuotes) is no absolute path",
        details: "leave it out for \(usualPath)")
    }
    return path
  }

  /// Asks the daemon and waits for its answer.
  ///
  /// - Parameters:
  ///   - order: what is asked.
  ///   - path: where the daemon listens.
  ///   - method: what upstream calls it, for messages.
  /// - Returns: the result; nil when there is none to give.
  /// - Throws: `ProtocolError`: the daemon's own, or why it could not be asked.
  @discardableResult
  static func ask(
    _ order: DHCPOrder, at path: String, _ method: String
  ) throws(ProtocolError) -> JSONObject? {
    let connection = try dial(path)
    let bytes: [UInt8]
    do throws(SystemError) {
      try send(JSONWriter.write(.object(order.document)) + [UInt8(ascii: "\n")], by: connection)
      bytes = try answer(by: connection)
    } catch {
      throw ProtocolError(
        .tryAgainLater, "error calling DHCP.\(method): \(error)",
        details: "the DHCP daemon on \(path) has ended or does not answer")
    }
    return try read(bytes, method)
  }

  private static func dial(_ path: String) throws(ProtocolError) -> LocalConnection {
    do throws(SystemError) {
      return try LocalConnection(to: path)
    } catch {
      throw ProtocolError(
        .tryAgainLater, "error dialing DHCP daemon: \(error)",
        details: "start it: systemctl start cni-dhcp.socket, or \"dhcp daemon\"")
    }
  }

  private static func read(
    _ bytes: [UInt8], _ method: String
  ) throws(ProtocolError) -> JSONObject? {
    let document: JSONObject?
    do throws(JSONParseError) {
      document = try JSONParser.parse(bytes).objectValue
    } catch {
      throw ProtocolError(
        .decodingFailure, "error calling DHCP.\(method): the answer is no JSON: \(error)",
        details: "plugin and daemon must be of one suite: restart the daemon after an update")
    }
    guard let document, document["code"] != nil else { return document }
    let error = try ProtocolError(printed: bytes)
    throw ProtocolError(
      error.code, "error calling DHCP.\(method): \(error.message)", details: error.details)
  }

  private static func send(
    _ bytes: [UInt8], by connection: borrowing LocalConnection
  ) throws(SystemError) {
    var rest = bytes[...]
    var fruitless = 0
    while fruitless < fruitlessLimit {
      let sent = try connection.send(rest)
      rest = rest.dropFirst(sent)
      guard !rest.isEmpty else { return }
      fruitless = sent == 0 ? fruitless + 1 : 0
      try wait(connection.readiness.descriptor, writing: true)
    }
    throw SystemError(operation: "send", subject: "", errno: .tryAgain)
  }

  /// Everything up to the end that the daemon sets.
  private static func answer(
    by connection: borrowing LocalConnection
  ) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var fruitless = 0
    while fruitless < fruitlessLimit {
      try wait(connection.readiness.descriptor)
      guard let part = try connection.receive(limit: 65536) else {
        fruitless += 1
        continue
      }
      if part.isEmpty { return bytes }
      fruitless = 0
      bytes += part
      guard bytes.count <= limit else {
        throw SystemError(operation: "recv", subject: "", errno: .messageTooLong)
      }
    }
    throw SystemError(operation: "recv", subject: "", errno: .tryAgain)
  }

  private static func wait(_ descriptor: Int32, writing: Bool = false) throws(SystemError) {
    let wish = Readiness.Wish(descriptor, writing: writing)
    if try Readiness.wait(for: [wish], timeout: patience).isEmpty {
      throw SystemError(operation: "poll", subject: "", errno: .timedOut)
    }
  }
}
