import FuzzTargets
import Linux
import Mutation

// Tries one target in a process of its own, so that a trap ends nothing else.
//
//   fuzz TARGET [--seed N] [--milliseconds N] [--trace FILE]   changes good inputs
//   fuzz TARGET FILE…                                          tries these inputs
//   fuzz TARGET --libfuzzer ARGUMENT…                          if built with libFuzzer: its own run
//
// Tests/Fuzz/run builds it with libFuzzer and AddressSanitizer.

var words = Array(CommandLine.arguments.dropFirst())

func fail(_ text: String) -> Never {
  StandardStreams.writeDiagnostics("\(text)\n")
  CurrentProcess.exit(2)
}

guard let target = FuzzTarget.all.first(where: { $0.name == words.first }) else {
  fail("which target? \(FuzzTarget.all.map(\.name).joined(separator: " "))")
}
words.removeFirst()

do {
  if words.first == "--libfuzzer" {
    CurrentProcess.exit(LibFuzzer.run(target, arguments: Array(words.dropFirst())))
  } else if let first = words.first, !first.hasPrefix("--") {
    for file in words {
      if let complaint = target.complaint(try File.read(file, limit: 1 << 26)) {
        fail("\(file): \(complaint)")
      }
    }
  } else {
    var run = try MutationRun(target, words: words)
    if let complaint = try run.complaint() { fail(complaint) }
  }
} catch {
  fail("\(error)")
}
