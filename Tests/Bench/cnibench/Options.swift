/// What the command line asks for.
struct Options {
  var ours = ""
  var upstream = "/usr/lib/cni"
  var floor = ""
  var state = ""
  var results = ""
  var rounds = 20
  var pods = 16
  var leases = [10, 100, 1000, 10_000, 50_000]
  var mappings = [1, 5000]
  var only: [String] = []
  var notes: [String] = []

  static let usage = """
    usage: cnibench --ours DIR --floor PROGRAM --state DIR [options]

      --ours DIR        our plugins, under their names
      --floor PROGRAM   the program cnifloor
      --state DIR       an empty directory on the file system to measure on
      --upstream DIR    the plugins to compare with              (/usr/lib/cni)
      --results DIR     write figures.md, figures.json and the plots there
      --rounds N        rounds of each scenario                  (20)
      --pods N          pods in a round                          (16)
      --leases N,N,…    sizes of the address store               (10,100,1000,10000,50000)
      --mappings N,N,…  mapped ports on the node                 (1,5000)
      --only NAME,…     only these scenarios: start bridge masq dual ptp bridge16 masq16 portmap
                        firewall bandwidth chain leases mappings
      --note TEXT       a line for the report, such as a version

    Tests/Bench/run builds and finds all of these by itself.

    """

  init(_ arguments: [String]) throws(BenchError) {
    var rest = arguments.makeIterator()
    while let name = rest.next() {
      guard let value = rest.next() else { throw BenchError("\(name) needs a value") }
      switch name {
      case "--ours": ours = value
      case "--upstream": upstream = value
      case "--floor": floor = value
      case "--state": state = value
      case "--results": results = value
      case "--rounds": rounds = try Options.number(value, name)
      case "--pods": pods = try Options.number(value, name)
      case "--leases": leases = try Options.numbers(value, name)
      case "--mappings": mappings = try Options.numbers(value, name)
      case "--only": only = Options.list(value)
      case "--note": notes.append(value)
      default: throw BenchError("unknown option \(name)")
      }
    }
    if ours.isEmpty || floor.isEmpty || state.isEmpty {
      throw BenchError("--ours, --floor and --state are needed")
    }
  }

  private static func list(_ text: String) -> [String] {
    text.split(separator: ",").map(String.init)
  }

  private static func numbers(_ text: String, _ name: String) throws(BenchError) -> [Int] {
    try list(text).map { text throws(BenchError) in try number(text, name) }
  }

  private static func number(_ text: String, _ name: String) throws(BenchError) -> Int {
    guard let number = Int(text), number > 0 else { throw BenchError("\(name): \(text)?") }
    return number
  }
}
