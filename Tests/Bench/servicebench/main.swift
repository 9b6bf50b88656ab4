import Figures
import Linux

// servicebench: what services cost: ours through the library and through the built programs,
// kube-proxy's classic shape through nft, in one run on one machine. It asserts nothing.
//
// Each measurement has network namespaces of its own, which go with the program.

do {
  let options = try Options(Array(CommandLine.arguments.dropFirst()))
  var figures = ServiceFigures()
  if !options.isChurnOnly {
    try figures.measureTables(options)
    if let programs = options.programs { try figures.measurePrograms(programs, options) }
    try figures.measurePackets(options)
  }
  if let programs = options.programs { try figures.measureChurn(programs, options) }
  let page = figures.page(notes: options.notes)
  print(page, terminator: "")
  if let path = options.page { try File.replace(path, with: Array(page.utf8), mode: 0o644) }
} catch {
  StandardStreams.writeDiagnostics("servicebench: \(error)\n")
  CurrentProcess.exit(1)
}
