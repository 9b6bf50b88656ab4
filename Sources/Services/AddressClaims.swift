internal import Addressing
internal import Linux

/// The addresses that a pod takes, and whose they were.
struct AddressClaims {
  let pod: EndpointFile
  private var former: [IPAddress: EndpointOwner] = [:]

  init(_ pod: EndpointFile) { self.pod = pod }

  /// Takes them.
  ///
  /// - Returns: those who have lost theirs and must have gone; nil if a file of theirs is damaged.
  mutating func take(in store: ServiceStore) throws(SystemError) -> [EndpointFile]? {
    for address in pod.addresses {
      if let holder = try store.claim(address, for: pod.owner) { former[address] = holder }
    }
    var lost: [EndpointFile] = []
    for owner in Set(former.values) {
      switch try store.endpoint(owner) {
      case .found(let file):
        if file.addresses.contains(where: { former[$0] == owner }) { lost.append(file) }
      case .missing: continue
      case .damaged: return nil
      }
    }
    return lost
  }

  /// Gives them back to whom they belonged.
  func giveBack(to before: Found<EndpointFile>, in store: ServiceStore) throws(SystemError) {
    for address in pod.addresses {
      if let owner = former[address] {
        try store.claim(address, for: owner)
      } else if case .found(let file) = before, file.addresses.contains(address) {
        continue
      } else {
        try store.release(address, of: pod.owner)
      }
    }
  }
}
