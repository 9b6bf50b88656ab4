/// What the command line asks for.
struct Options {
  /// Few, a table's worth, and as many as there are goals for.
  var few = 10
  var some = 10_000
  var many = 40_000
  /// How many the classic shape is loaded with.
  var classic = 10_000
  /// How often a program is run.
  var rounds = 100
  /// How many datagrams a second meet how many ADD, and as many DEL.
  var rate = 10_000
  var changes = 500
  /// Only these datagrams, and none of the other figures.
  var isChurnOnly = false
  var programs: ProgramLab.Programs?
  /// The file to write.
  var page: String?
  var notes: [String] = []

  static let usage = """
    usage: servicebench [options]

      --plugins DIR --cnictl FILE   the built programs, to measure them too
      --page FILE                   write the figures there as well
      --some N, --many N            numbers of services                    (10000, 40000)
      --classic N                   services in kube-proxy's classic shape (10000)
      --rounds N                    how often a plugin is run              (100)
      --changes N                   ADD and DEL under a stream of datagrams  (500)
      --only-changes                that alone
      --note TEXT                   a line for the page, such as a version

    Tests/Bench/services builds and finds all of these by itself.

    """

  init(_ arguments: [String]) throws {
    var rest = arguments.makeIterator()
    var (plugins, cnictl) = ("", "")
    while let name = rest.next() {
      if name == "--only-changes" {
        isChurnOnly = true
        continue
      }
      guard let value = rest.next() else { throw BenchFailure(text: Options.usage) }
      switch name {
      case "--plugins": plugins = value
      case "--cnictl": cnictl = value
      case "--page": page = value
      case "--some": some = try Options.number(value)
      case "--many": many = try Options.number(value)
      case "--classic": classic = try Options.number(value)
      case "--rounds": rounds = try Options.number(value)
      case "--changes": changes = try Options.number(value)
      case "--note": notes.append(value)
      default: throw BenchFailure(text: Options.usage)
      }
    }
    if !plugins.isEmpty, !cnictl.isEmpty {
      programs = ProgramLab.Programs(plugins: plugins, cnictl: cnictl)
    }
  }

  private static func number(_ text: String) throws -> Int {
    guard let number = Int(text), number > 0 else { throw BenchFailure(text: Options.usage) }
    return number
  }
}
