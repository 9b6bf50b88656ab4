internal import Linux
public import Netlink
public import Nftables

/// Why a change to the table of services failed.
public enum ServiceTableError: Error, Hashable, Sendable {
  /// The table is not there, or not whole: somebody flushed the ruleset. Remedy:
  /// ``ServiceTable/replace(with:_:on:)``.
  case missing(Table)
  /// The table does not hold what was said to be there before. Remedy:
  /// ``ServiceTable/replace(with:_:on:)``.
  case outOfStep(NetlinkError)
  /// The weights of a frontend's backends add up to more than a list has buckets.
  case tooManyBuckets(Frontend.Key, weights: Int, limit: Int)
  /// The kernel refused, or it could not be asked.
  case kernel(NetlinkError)

  init(_ error: NetlinkError) {
    let isMismatch =
      error.cause == .refused && error.missingFeature == nil
      && (error.errno == .noEntry || error.errno == .exists)
    self = isMismatch ? .outOfStep(error) : .kernel(error)
  }

  /// Whether nothing has changed for certain: an answer that was lost may have been a yes.
  var isRefusal: Bool {
    if case .kernel(let error) = self { error.cause == .refused } else { true }
  }
}

extension ServiceTableError: CustomStringConvertible {
  /// What failed and why.
  public var description: String {
    switch self {
    case .missing(let table): "table \(table) is missing or not whole"
    case .outOfStep(let error): "the table of services holds other things than expected: \(error)"
    case .tooManyBuckets(let key, let weights, let limit):
      "the weights of the backends of \(key) add up to \(weights), more than \(limit)"
    case .kernel(let error): "\(error)"
    }
  }
}
