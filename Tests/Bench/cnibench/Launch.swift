import Glibc

/// One program to be started: what it is called with and where its streams lead.
struct Launch {
  var path: String
  var arguments: [String] = []
  var environment: [String] = []
  /// A file; opened by the child.
  var input = "/dev/null"
  /// A file, made or emptied; gets both stdout and stderr.
  var output = "/dev/null"
}

/// What one process and those it waited for have cost.
struct Cost {
  /// From just before it was started until it was gone.
  var wall: Duration
  /// User and system time together.
  var processor: Duration
  var succeeded: Bool
}

/// What went wrong in the bench itself, or in a program that it cannot do without.
struct BenchError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }

  /// The step that has just failed, with the errno it left.
  static func system(_ step: String) -> BenchError {
    let number = errno
    return BenchError("\(step): \(unsafe String(cString: strerror(number)))")
  }
}

/// Time since the first reading; no clock adjustment changes it.
func now() -> Duration { epoch.duration(to: .now) }

private let epoch = ContinuousClock.now

extension Launch {
  /// Starts the program.
  ///
  /// The clock is read after everything has been laid out and before the process exists, so the
  /// kernel's work of making it counts, as it does for a runtime.
  func start() throws(BenchError) -> (process: pid_t, at: Duration) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(
      &actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)

    let argumentText = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
    let environmentText = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (argumentText + environmentText).forEach { unsafe free($0) } }

    var process = pid_t()
    let started = now()
    let failure = unsafe posix_spawn(&process, path, &actions, nil, argumentText, environmentText)
    guard failure == 0 else {
      throw BenchError("\(path): \(unsafe String(cString: strerror(failure)))")
    }
    return (process, started)
  }

  /// Waits until any of the started processes is gone.
  static func next() throws(BenchError) -> (process: pid_t, at: Duration, used: Cost) {
    var status: Int32 = 0
    var usage = rusage()
    let process = unsafe wait4(-1, &status, 0, &usage)
    let ended = now()
    guard process > 0 else { throw .system("wait") }
    let processor = Duration(usage.ru_utime) + Duration(usage.ru_stime)
    return (process, ended, Cost(wall: .zero, processor: processor, succeeded: status == 0))
  }

  /// Runs the program to its end.
  ///
  /// What programs before it have left running, and ended meanwhile, counts as its own.
  func run() throws(BenchError) -> Cost {
    let (process, started) = try start()
    var strays = Duration.zero
    while true {
      var (ended, at, cost) = try Launch.next()
      guard ended == process else {
        strays += cost.processor
        continue
      }
      cost.wall = at - started
      cost.processor += strays
      return cost
    }
  }

  /// Waits until all is over that programs have left running, and tells what time it has used.
  ///
  /// Only the first process of a namespace is told of those.
  static func settle() -> Duration {
    var used = Duration.zero
    var status: Int32 = 0
    var usage = rusage()
    while unsafe wait4(-1, &status, 0, &usage) > 0 {
      used += Duration(usage.ru_utime) + Duration(usage.ru_stime)
    }
    return used
  }

  /// Runs a program of the host that must succeed, such as `ip`.
  static func require(_ command: String...) throws(BenchError) {
    try require(all: command)
  }

  /// The same for a command that is put together.
  static func require(all command: [String]) throws(BenchError) {
    let output = "/run/cnibench-output"
    let launch = Launch(
      path: "/usr/bin/env", arguments: command, environment: [searchPath], output: output)
    guard try launch.run().succeeded else {
      throw BenchError("\(command.joined(separator: " ")): \(try readText(output))")
    }
  }

  /// The PATH that every program is given.
  static let searchPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
}

/// Runs all, so many at a time, and tells each one's cost and the time of the whole.
func run(_ launches: [Launch], atOnce width: Int) throws(BenchError) -> (
  costs: [Cost], wall: Duration
) {
  var costs = [Cost?](repeating: nil, count: launches.count)
  var running: [pid_t: (index: Int, started: Duration)] = [:]
  var waiting = launches.indices.makeIterator()
  var strays = Duration.zero
  let begin = now()
  while true {
    while running.count < width, let index = waiting.next() {
      let (process, started) = try launches[index].start()
      running[process] = (index, started)
    }
    if running.isEmpty { break }
    var (process, ended, cost) = try Launch.next()
    guard let (index, started) = running.removeValue(forKey: process) else {
      strays += cost.processor
      continue
    }
    cost.wall = ended - started
    costs[index] = cost
  }
  costs[launches.count - 1]?.processor += strays
  return (costs.compactMap(\.self), now() - begin)
}

extension Duration {
  init(_ time: timeval) {
    self = .seconds(time.tv_sec) + .microseconds(time.tv_usec)
  }

  /// For arithmetic and for people.
  var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
  }
}
