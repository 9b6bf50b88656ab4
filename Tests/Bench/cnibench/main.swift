import Figures
import Glibc

// cnibench: swift-cni, upstream and bare netlink beside each other, in one run on one machine.
// It prints ratios and writes pictures; it asserts nothing.

func benchmark(_ options: Options) throws(BenchError) -> Bool {
  let scenarios = Scenario.all(leases: options.leases).filter { scenario in
    options.only.isEmpty || options.only.contains(scenario.name)
      || scenario.leases != nil && options.only.contains("leases")
  }
  let lab = try Lab(state: options.state, podCount: options.pods)
  let programs = Programs(ours: options.ours, upstream: options.upstream, floor: options.floor)
  var measurement = Measurement(lab: lab, programs: programs, rounds: options.rounds)
  for scenario in scenarios {
    tell("· \(scenario.title)")
    try measurement.measure(scenario)
  }
  var shown = scenarios
  if options.only.isEmpty || options.only.contains("mappings") {
    tell("· mapped ports")
    try measurement.measureMappings(options.mappings)
    shown += options.mappings.map(Scenario.mappings)
  }
  let circumstances = options.notes + ["\(options.pods) pods in a round"]
  let report = Report(
    measurement: measurement, scenarios: shown, circumstances: circumstances)
  print(report.markdown, terminator: "")
  if !options.results.isEmpty {
    try writeText(report.markdown, to: "\(options.results)/figures.md")
    try writeText(report.summary, to: "\(options.results)/summary.md")
    try writeText(report.json, to: "\(options.results)/figures.json")
    try writeText(
      measurement.operations(of: scenarios).svg, to: "\(options.results)/operations.svg")
    try writeText(measurement.growth(of: scenarios).svg, to: "\(options.results)/leases.svg")
  }
  return measurement.failures.isEmpty
}

/// A line about the progress, apart from the figures.
func tell(_ line: String) {
  let bytes = Array("\(line)\n".utf8)
  unsafe write(STDERR_FILENO, bytes, bytes.count)
}

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.isEmpty || arguments == ["--help"] {
  print(Options.usage, terminator: "")
  exit(arguments.isEmpty ? 2 : 0)
}
do throws(BenchError) {
  exit(try benchmark(Options(arguments)) ? 0 : 1)
} catch {
  tell("cnibench: \(error)")
  exit(2)
}
