internal import CNI
internal import DHCPClient
internal import Linux

/// `dhcp daemon`: keeps the leases of this host's containers, all on one thread.
///
/// One loop waits for callers, for servers' answers, and for the next lease that is due.
struct DHCPDaemon: ~Copyable {
  let context: DaemonContext
  private let signals: StopSignals
  private let listener: LocalListener
  private let ownsSocket: Bool
  var keepers: [Attachment: LeaseKeeper] = [:]
  var callers: [Int: Caller] = [:]
  /// Numbers callers in the order in which they come.
  var callerCount = 0
  /// Whether leases of before are still to be gone on with, which could not be looked at.
  var owesLeases = false
  /// No connections are taken before that moment, after one could not be.
  private var listeningFrom = BootTime(sinceBoot: .zero)
  /// When namespaces are looked for next.
  private var nextRound: BootTime

  /// Does what the command line says until it is told to stop.
  ///
  /// - Parameter words: the flags.
  /// - Returns: the exit code.
  static func run(_ words: [String]) -> Int32 {
    let options: DaemonOptions
    do throws(DaemonOptions.Refusal) {
      options = try DaemonOptions(words)
    } catch {
      StandardStreams.writeDiagnostics("\(error.sentence)\n\(DaemonOptions.usage)")
      return 2
    }
    do throws(ProtocolError) {
      var daemon = try DHCPDaemon(options)
      try daemon.serve()
      return 0
    } catch {
      StandardStreams.writeDiagnostics("dhcp: \(error)\n")
      return 1
    }
  }

  private init(_ options: DaemonOptions) throws(ProtocolError) {
    do throws(SystemError) {
      let handedOver = ActivatedSockets.count(.current())
      guard handedOver <= 1 else {
        throw SystemError(
          operation: "Too many (\(handedOver)) FDs passed through socket activation", subject: "",
          errno: .invalid)
      }
      let context = DaemonContext(options: options, boot: try BootID.current())
      try context.makeLeaseDirectory()
      let signals = try StopSignals()
      let listener =
        handedOver == 1
        ? try LocalListener(adopting: ActivatedSockets.takeFirst()) : try Self.listen(options)
      // Last, so that a second daemon does not take the first one's for its own.
      if let path = options.pidFile {
        try File.replace(path, with: Array("\(CurrentProcess.id)".utf8), mode: 0o644)
      }
      self.listener = listener
      self.signals = signals
      self.context = context
      ownsSocket = handedOver == 0
      nextRound = .now + .seconds(60)
    } catch {
      throw ProtocolError(error)
    }
  }

  private static func listen(_ options: DaemonOptions) throws(SystemError) -> LocalListener {
    let path = options.hostPrefix + options.socketPath
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try Directory.create(String(path[..<slash]), mode: 0o700)
    }
    return try LocalListener(at: path)
  }

  // MARK: - The loop

  /// What may become ready.
  private enum Source {
    case signals, listener
    case caller(Int)
    case keeper(Attachment)
  }

  /// Serves until a signal comes; leases are kept for the next start.
  private mutating func serve() throws(ProtocolError) {
    resume()
    defer { tidy() }
    while true {
      let (sources, wishes) = waiting()
      let ready: [Int]
      do throws(SystemError) {
        ready = try Readiness.wait(for: wishes, timeout: nextEvent() - .now)
      } catch {
        throw ProtocolError(error)
      }
      let now = BootTime.now
      for place in ready {
        switch sources[place] {
        case .signals: return
        case .listener: accept(at: now)
        case .caller(let number): hear(number, at: now)
        case .keeper(let attachment):
          keepers[attachment]?.receive(at: now)
          settle(attachment, at: now)
        }
      }
      pass(at: now)
    }
  }

  private func waiting() -> ([Source], [Readiness.Wish]) {
    var sources: [Source] = [.signals]
    var wishes = [signals.readiness]
    func wait(_ source: Source, _ wish: Readiness.Wish) {
      sources.append(source)
      wishes.append(wish)
    }
    if callers.count < Self.callerLimit, BootTime.now >= listeningFrom {
      wait(.listener, listener.readiness)
    }
    for (number, caller) in callers { wait(.caller(number), caller.wish) }
    for (attachment, keeper) in keepers {
      for wish in keeper.readinesses { wait(.keeper(attachment), wish) }
    }
    return (sources, wishes)
  }

  /// The next moment at which something is to be done.
  private func nextEvent() -> BootTime {
    var next = nextRound
    for keeper in keepers.values { next = min(next, keeper.due ?? next) }
    for caller in callers.values { next = min(next, caller.due) }
    if listeningFrom > .now { next = min(next, listeningFrom) }
    return next
  }

  /// Does what is due.
  private mutating func pass(at now: BootTime) {
    let isRound = now >= nextRound
    if isRound {
      nextRound = now + .seconds(60)
      if owesLeases { resume() }
    }
    for (attachment, keeper) in keepers {
      keeper.pass(at: now)
      if isRound { keeper.lookAround() }
      settle(attachment, at: now)
    }
    for (number, caller) in callers where now >= caller.due { remind(number, at: now) }
  }

  private mutating func accept(at now: BootTime) {
    do throws(SystemError) {
      while callers.count < Self.callerLimit, let connection = try listener.accept() {
        greet(connection, at: now)
      }
    } catch {
      // Most likely no descriptor is free; trying again at once would only burn time.
      context.log("cannot take a connection: \(error)")
      listeningFrom = now + .seconds(1)
    }
  }

  private func tidy() {
    var paths: [String] = []
    if ownsSocket { paths.append(context.options.hostPrefix + context.options.socketPath) }
    if let pidFile = context.options.pidFile { paths.append(pidFile) }
    for path in paths {
      do throws(SystemError) {
        try File.remove(path)
      } catch {
        context.log("\(error)")
      }
    }
  }
}
