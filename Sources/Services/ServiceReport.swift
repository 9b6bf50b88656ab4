internal import Addressing

/// What has been done about services, and what was not possible.
public struct ServiceReport: Sendable {
  /// The settings that hold.
  public var settings = ServiceSettings()
  /// How many services there are.
  public var services = 0
  /// How many pods of this node answer for one at least.
  public var endpoints = 0
  /// What of the definitions was refused.
  public var refusals: [ServiceRefusal] = []
  /// What else the operator should know.
  public var notices: [String] = []
  /// Whether the tables were made anew.
  public var isRebuilt = false
  /// The notices that definitions, settings and endpoint files gave cause to.
  var lastingNotices: [String] = []
  /// The addresses of balancers, whether or not they are on a link of this node.
  var balancers: Set<IPAddress> = []
}
