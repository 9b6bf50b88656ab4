internal import ArgumentParser

/// A command that can be carried out in any surroundings.
protocol Verb: ParsableCommand {
  func perform(in surroundings: Surroundings) throws
}

extension Verb {
  func run() throws {
    try perform(in: .real)
  }
}
