internal import CNI
internal import JSON
internal import Linux

/// One plugin at the daemon's socket: an order, an answer, and the end.
///
/// It has an identity, hence a class: a connection with bytes half read and half written.
final class Caller {
  let connection: LocalConnection
  /// What has come of the order.
  var incoming: [UInt8] = []
  /// What has not gone yet of the answer.
  var outgoing: ArraySlice<UInt8> = []
  /// Whose lease it waits for.
  private(set) var awaited: Attachment?
  /// When it is to be reminded that we are at it, or its time is over.
  var due: BootTime

  init(_ connection: consuming LocalConnection, until due: BootTime) {
    self.connection = connection
    self.due = due
  }

  /// What is waited for: its order, its leaving, or room for the answer.
  var wish: Readiness.Wish {
    Readiness.Wish(connection.readiness.descriptor, writing: !outgoing.isEmpty)
  }

  /// Waits for a lease from here on.
  func wait(for attachment: Attachment, at now: BootTime) {
    awaited = attachment
    due = now + DHCPDaemon.reminder
  }

  /// Waits no more.
  func rest() { awaited = nil }
}

extension DHCPDaemon {
  /// The most callers at a time; further ones wait in the kernel's queue.
  static var callerLimit: Int { 256 }

  /// How long a caller may take to send its order, or to take its answer.
  private static var patience: Duration { .seconds(5) }

  /// How often a waiting caller hears that we are at it.
  static var reminder: Duration { .seconds(10) }

  /// Takes a connection, if it is from the same user.
  ///
  /// The socket's mode keeps others out already; one that a service manager made may be wider.
  mutating func greet(_ connection: consuming LocalConnection, at now: BootTime) {
    do throws(SystemError) {
      let user = try connection.peerUser()
      guard user == CurrentProcess.user || user == 0 else {
        return context.log("refused a connection of user \(user)")
      }
    } catch {
      return context.log("refused a connection: \(error)")
    }
    callerCount += 1
    callers[callerCount] = Caller(connection, until: now + Self.patience)
  }

  /// Takes what a caller has sent, and sends what there is room for.
  mutating func hear(_ number: Int, at now: BootTime) {
    guard let caller = callers[number] else { return }
    do throws(SystemError) {
      if !caller.outgoing.isEmpty { return try deliver(number) }
      while let bytes = try caller.connection.receive(limit: 65536) {
        // Nobody has anything to say after the order, so whoever speaks or leaves is done.
        if bytes.isEmpty || caller.awaited != nil { return dismiss(number, at: now) }
        caller.incoming += bytes
        if caller.incoming.count > DaemonCall.limit { return dismiss(number, at: now) }
        if caller.incoming.last == UInt8(ascii: "\n") {
          return serve(number, caller, at: now)
        }
      }
    } catch {
      dismiss(number, at: now)
    }
  }

  /// Reminds a caller that waits, and parts from one that keeps us waiting.
  mutating func remind(_ number: Int, at now: BootTime) {
    guard let caller = callers[number] else { return }
    guard caller.awaited != nil else { return dismiss(number, at: now) }
    caller.due = now + Self.reminder
    do throws(SystemError) {
      _ = try caller.connection.send([UInt8(ascii: " ")])
    } catch {
      dismiss(number, at: now)
    }
  }

  /// Tells everybody who waits for an attachment's lease.
  mutating func tellWaiting(
    _ attachment: Attachment, _ answer: Result<JSONObject, ProtocolError>
  ) {
    for (number, caller) in callers where caller.awaited == attachment {
      caller.rest()
      tell(number, answer)
    }
  }

  private mutating func serve(_ number: Int, _ caller: Caller, at now: BootTime) {
    do throws(ProtocolError) {
      let document: JSONObject?
      do throws(JSONParseError) {
        document = try JSONParser.parse(caller.incoming).objectValue
      } catch {
        throw ProtocolError(error)
      }
      caller.incoming = []
      let order = try DHCPOrder(document ?? [:])
      if let answer = try answer(order, of: caller, at: now) { tell(number, .success(answer)) }
    } catch {
      tell(number, .failure(error))
    }
  }

  private mutating func tell(_ number: Int, _ answer: Result<JSONObject, ProtocolError>) {
    guard let caller = callers[number] else { return }
    let document: JSONObject =
      switch answer {
      case .success(let document): document
      case .failure(let error):
        [
          "code": .integer(error.code.rawValue), "msg": .string(error.message),
          "details": .string(error.details),
        ]
      }
    caller.outgoing = JSONWriter.write(.object(document))[...]
    caller.due = .now + Self.patience
    do throws(SystemError) {
      try deliver(number)
    } catch {
      callers[number] = nil
    }
  }

  /// Sends what there is room for; the end of the connection is the end of the answer.
  private mutating func deliver(_ number: Int) throws(SystemError) {
    guard let caller = callers[number] else { return }
    let sent = try caller.connection.send(caller.outgoing)
    caller.outgoing = caller.outgoing.dropFirst(sent)
    if caller.outgoing.isEmpty { callers[number] = nil }
  }

  /// Parts from a caller, and from the lease that only it was waiting for.
  private mutating func dismiss(_ number: Int, at now: BootTime) {
    let awaited = callers.removeValue(forKey: number)?.awaited
    if let awaited { abandon(awaited, at: now) }
  }
}
