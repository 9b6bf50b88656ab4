import Linux
import ReportPage

// Makes a page of what the tests have told; `./install.sh test --report` calls it.
//
//   testreport FIGURES PAGE [NOTE…]
//
// FIGURES is the directory that SWIFT_CNI_REPORT named, PAGE the file to write, with pictures in its
// directory; each NOTE is a line about the circumstances.

let words = Array(CommandLine.arguments.dropFirst())
guard words.count >= 2 else {
  StandardStreams.writeDiagnostics("usage: testreport FIGURES PAGE [NOTE…]\n")
  CurrentProcess.exit(2)
}
do {
  let page = ReportPage(
    try ReportedSuite.all(in: words[0]), circumstances: Array(words.dropFirst(2)))
  try File.replace(words[1], with: Array(page.markdown.utf8), mode: 0o644)
  let directory = words[1].lastIndex(of: "/").map { words[1][..<$0] } ?? "."
  for picture in page.pictures {
    try File.replace("\(directory)/\(picture.name)", with: Array(picture.svg.utf8), mode: 0o644)
  }
} catch {
  StandardStreams.writeDiagnostics("testreport: \(error)\n")
  CurrentProcess.exit(1)
}
