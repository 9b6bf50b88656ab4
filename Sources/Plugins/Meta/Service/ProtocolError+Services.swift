import CNI
import Linux
import Plumbing
import Services

extension ProtocolError {
  /// Work on services failed.
  init(_ error: ServiceError, _ step: String) {
    switch error {
    case .system(let error), .busy(.system(let error)):
      let told = ProtocolError(error)
      self.init(told.code, "\(step): \(told.message)", details: told.details)
    case .busy(let error):
      self.init(
        .tryAgainLater, "\(step): \(error)", details: "somebody else is changing services")
    case .kernel(.kernel(let error)), .kernel(.outOfStep(let error)):
      self.init(packetFilter: error, step)
    case .kernel(let error):
      self.init(.internalFailure, "\(step): \(error)")
    case .settings(let refusal):
      self.init(.invalidConfiguration, "\(step): \(refusal)")
    case .unfitName(let name):
      self.init(.invalidEnvironment, "\(step): \(name) cannot be the name of a file")
    }
  }
}
