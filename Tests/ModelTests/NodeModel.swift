import TestSupport

/// What a node should hold, as plainly as it can be said: a table of pods.
///
/// Nothing here is taken from the product.
struct NodeModel {
  /// What is known of a pod's attachment.
  enum State {
    case none
    /// It was answered with these addresses and this port of the bridge.
    case attached(addresses: [String], port: String)
    /// A call was killed: all of it, some of it or nothing may be there.
    case unsure
  }

  /// What each address may be given for: the pool has 13 of each family, the gateways aside.
  static let pool = 13
  private(set) var states: [String: State] = [:]
  /// Leases of an earlier boot and by whom; they may go at any time, and need not.
  var stale: [String: String] = [:]
  /// Leases that another plugin has made, which only GC may end.
  var foreign: [String: String] = [:]
  /// Leases that our index has seen in this boot, and has not lost since; by whom.
  private(set) var seen: [String: String] = [:]
  /// Leases of an earlier boot of which our index knows that: ADD must end them.
  private(set) var mustGo: [String: String] = [:]

  subscript(pod: String) -> State {
    get { states[pod] ?? .none }
    set { states[pod] = newValue }
  }

  func isAttached(_ pod: String) -> Bool {
    if case .attached = self[pod] { true } else { false }
  }

  func isUnsure(_ pod: String) -> Bool {
    if case .unsure = self[pod] { true } else { false }
  }

  var attached: [String] { states.keys.filter(isAttached).sorted() }

  var unsure: [String] { states.keys.filter(isUnsure).sorted() }

  func addresses(of pod: String) -> [String] {
    if case .attached(let addresses, _) = self[pod] { addresses } else { [] }
  }

  // MARK: Boots

  /// An ADD was answered, so our index knows what is there.
  mutating func indexHasSeen(_ leases: [String: String]) {
    mustGo = [:]
    seen = leases
  }

  /// Our index may have been lost, or left as it was before the last calls.
  mutating func indexIsUncertain() {
    mustGo = [:]
    seen = [:]
  }

  /// A boot has ended, and with it all pods.
  mutating func reboot(_ leases: [String: String]) {
    for (address, owner) in leases where owner.contains("\r\n") { stale[address] = owner }
    foreign = [:]
    states = [:]
    mustGo = mustGo.merging(seen) { $1 }.filter { leases[$0.key] == $0.value }
    seen = [:]
  }

  // MARK: Agreement

  /// What does not agree with the table, and which gate is broken by it.
  struct Complaint {
    let text: String
    let gate: HardGate?

    init(_ text: String, _ gate: HardGate?) {
      self.text = text
      self.gate = gate
    }
  }

  /// What the files say against the table; empty when they agree.
  func complaints(aboutLeases leases: [String: String]) -> [Complaint] {
    var complaints: [Complaint] = []
    for pod in attached {
      for address in addresses(of: pod) where leases[address] != "\(pod)\r\neth0" {
        complaints.append(
          Complaint(
            "\(pod) lives with \(address), whose lease is \(leases[address] ?? "gone")",
            .liveLeaseFreed))
      }
    }
    for (address, owner) in leases where owner.contains("\r\n") {
      let pod = String(owner.prefix { $0 != "\r\n" && $0 != "\r" })
      let isExpected =
        addresses(of: pod).contains(address) || isUnsure(pod) || stale[address] == owner
        || foreign[address] == owner
      if !isExpected {
        complaints.append(
          Complaint("\(address) is leased to \(pod), who is not attached", .silentLeaks))
      }
    }
    for (address, owner) in foreign where leases[address] != owner && stale[address] != owner {
      complaints.append(
        Complaint("another plugin's lease of \(address) is gone", .liveLeaseFreed))
    }
    return complaints
  }

  /// How many addresses of a family are free for sure, and how many may be.
  func free(_ isFamily: (String) -> Bool, leases: [String: String]) -> ClosedRange<Int> {
    let held = leases.filter { isFamily($0.key) && $0.value.contains("\r\n") }
    let mayGo = held.filter { stale[$0.key] == $0.value }.count
    return NodeModel.pool - held.count...NodeModel.pool - held.count + mayGo
  }
}
