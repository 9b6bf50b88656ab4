import FuzzTargets
import JSON
import Linux
import Mutation

/// The target tried on changes of its good inputs for a while; all of it follows from the seed.
struct MutationRun {
  private let target: FuzzTarget
  private let corpus: [[UInt8]]
  private let documents: [JSONValue]
  private var seed: UInt64 = 1
  private var time = Duration.seconds(1)
  /// Where each input is written before it is tried.
  private var trace: String?

  init(_ target: FuzzTarget, words: [String]) throws {
    self.target = target
    corpus = try Corpus.seeds(of: target.name).map(\.bytes)
    documents = corpus.compactMap { bytes in
      do {
        return try JSONParser.parse(bytes)
      } catch {
        return nil
      }
    }
    var words = words[...]
    while let option = words.popFirst(), let value = words.popFirst() {
      switch option {
      case "--seed": seed = UInt64(value) ?? seed
      case "--milliseconds": time = .milliseconds(Int(value) ?? 1000)
      case "--trace": trace = value
      default: break
      }
    }
  }

  /// Tries one input after the other; says what was wrong with the first bad one.
  mutating func complaint() throws -> String? {
    let deadline = MonotonicTime.now + time
    var mutator = Mutator(seed: seed)
    var count = 0
    while MonotonicTime.now < deadline || count == 0 {
      let input = next(&mutator)
      if let trace { try File.replace(trace, with: input, flushed: false) }
      if let complaint = target.complaint(input) {
        let text = String(decoding: input.prefix(2000), as: UTF8.self)
        return
          "\(target.name), seed \(seed), input \(count): \(complaint)\n\(input.prefix(500))\n\(text)"
      }
      count += 1
    }
    StandardStreams.writeDiagnostics("\(target.name): \(count) inputs\n")
    return nil
  }

  private func next(_ mutator: inout Mutator) -> [UInt8] {
    switch target.form {
    case .document:
      mutator.document(mutator.random.pick(documents), partsOf: documents)
    case .bytes:
      mutator.bytes(mutator.random.pick(corpus), pieces: mutator.random.chance(50) ? corpus : nil)
    }
  }
}
