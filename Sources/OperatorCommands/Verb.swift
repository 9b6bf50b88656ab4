internal import ArgumentParser
internal import Linux

/// A command that can be carried out in any surroundings.
protocol Verb: ParsableCommand {
  func perform(in surroundings: Surroundings) throws
}

extension Verb {
  func run() throws {
    do {
      try perform(in: .real)
    } catch let error as SystemError where error.errno == .brokenPipe {
      // Whoever read our answer has seen enough, as in `cnictl list | head -1`.
      throw ExitCode.failure
    }
  }
}
