/// What a person is told when a command has failed: what happened, and what can be done.
struct OperatorFailure: Error, CustomStringConvertible {
  let problem: String
  let advice: String?

  init(_ problem: String, advice: String? = nil) {
    self.problem = problem
    self.advice = advice
  }

  var description: String {
    advice.map { "\(problem)\n\($0)" } ?? problem
  }
}
