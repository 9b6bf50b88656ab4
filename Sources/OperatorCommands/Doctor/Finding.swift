internal import CNI

/// One thing that is not as it should be on a node: what, where, why it matters, and what helps.
struct Finding: Equatable {
  /// What sort of thing it is.
  var kind: Kind
  /// The network it belongs to; nil for the node as a whole.
  var network: String?
  /// Whose it is, where it is about one interface of one container.
  var attachment: Attachment?
  /// What a person calls that container.
  var pod: String?
  /// What is wrong, in one sentence.
  var what: String
  /// The objects: a file, a link, a set, a plugin.
  var place: String
  /// What puts it right: a command, or what to change.
  var remedy: String
  /// What `cnictl repair` would do; nil for what it leaves to people.
  var mend: Mend?

  /// How bad it is.
  enum Severity: String, Comparable {
    /// Good to know; the exit status is still 0.
    case note
    /// Nothing is broken yet, or only what is gone already.
    case warning
    /// Packets are lost, pods cannot start, or somebody may meddle.
    case error

    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }

    static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
  }

  /// What `cnictl repair` can do about a finding.
  enum Mend: Hashable {
    /// Take away all that an attachment has left, by DEL.
    case remove(Attachment)
    /// Put back what the plugin at this place of an attachment's list lacks.
    case restore(Attachment, place: Int)
    /// Make the kernel agree with the definitions of services.
    case applyServices
    /// Make the kernel agree with the files of the flat network.
    case applyFlatNetwork
  }
}

extension Finding {
  /// The sorts of findings; the names are part of what `--json` promises.
  enum Kind: String, CaseIterable {
    case resultWithoutPod = "result-without-pod"
    case leaseWithoutPod = "lease-without-pod"
    case linkWithoutPod = "link-without-pod"
    case rulesWithoutPod = "rules-without-pod"
    case fileWithoutPod = "file-without-pod"
    case forgottenPod = "forgotten-pod"
    case podIncomplete = "pod-incomplete"
    case forwardingOff = "forwarding-off"
    case trafficBlocked = "traffic-blocked"
    case hostAddressMissing = "host-address-missing"
    case networkNotReady = "network-not-ready"
    case pluginMissing = "plugin-missing"
    case listUnreadable = "list-unreadable"
    case listChanged = "list-changed"
    case resultUnreadable = "result-unreadable"
    case stateUnreadable = "state-unreadable"
    case poolFull = "pool-full"
    case poolNearlyFull = "pool-nearly-full"
    case unsafePermissions = "unsafe-permissions"
    case strictReversePath = "strict-reverse-path"
    case bridgedPacketsFiltered = "bridged-packets-filtered"
    case servicesDiffer = "services-differ"
    case flatNetworkDiffers = "flat-network-differs"

    var severity: Severity {
      switch self {
      case .listChanged, .strictReversePath, .bridgedPacketsFiltered: .note
      case .resultWithoutPod, .leaseWithoutPod, .linkWithoutPod, .rulesWithoutPod,
        .fileWithoutPod, .forgottenPod, .hostAddressMissing, .listUnreadable, .resultUnreadable,
        .poolNearlyFull:
        .warning
      case .podIncomplete, .forwardingOff, .trafficBlocked, .networkNotReady, .pluginMissing,
        .stateUnreadable, .poolFull, .unsafePermissions, .servicesDiffer, .flatNetworkDiffers:
        .error
      }
    }

    /// Why it matters, in one line.
    var why: String {
      switch self {
      case .resultWithoutPod: "its container is gone, and what it had is still taken"
      case .leaseWithoutPod: "the address stays taken until the pool is empty"
      case .linkWithoutPod: "a link that nobody uses; its name may be in a new pod's way"
      case .rulesWithoutPod: "they apply to whoever gets the address or port next"
      case .fileWithoutPod: "it is kept for a pod that will not come back for it"
      case .forgottenPod: "no runtime knows it, so none will ever take it away"
      case .podIncomplete: "packets are lost, or pass that should not"
      case .forwardingOff: "no packet passes between pods and the world"
      case .trafficBlocked: "somebody else's rules drop what pods send"
      case .hostAddressMissing: "nobody reaches the port"
      case .networkNotReady: "new pods on this network will fail"
      case .pluginMissing: "new pods on this network will fail, and old ones cannot be deleted"
      case .listUnreadable: "runtimes pass the file over; its network may be missing"
      case .listChanged: "its pods keep what they were added with until they are started again"
      case .resultUnreadable: "nobody can tell whose it is, so nothing of it can be repaired"
      case .stateUnreadable: "what cannot be read cannot be judged, and plugins will fail on it too"
      case .poolFull: "the next pod will fail"
      case .poolNearlyFull: "pods will soon fail to start"
      case .unsafePermissions: "whoever can write there decides what root does on this node"
      case .strictReversePath: "answers that would leave by another interface are dropped"
      case .bridgedPacketsFiltered: "a pod cannot reach its own mapped port without hairpinMode"
      case .servicesDiffer: "clients of services reach the wrong pods, or none"
      case .flatNetworkDiffers: "pods of other nodes cannot be reached"
      }
    }
  }
}
