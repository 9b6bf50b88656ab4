import JSON
import TestSupport
import Testing

/// A case of Kubernetes' end-to-end tests under [sig-network], as packets between namespaces.
///
/// The rows of the table stand in `UpstreamCase+….swift`. What of the list in `cluster.md` has none:
///
/// | upstream | shown by |
/// | --- | --- |
/// | session affinity *timeout* | ServiceBalancingTests "of one client stay with its backend until …" |
/// | HostPort, same port, different hostIP and protocol | PortMapConflictTests "is another port for …" |
/// | find services from all namespaces, lifecycle, status, delete a collection | ServiceDocumentTests, ServiceVerbTests, ServiceNodeTests |
/// | SCTP services | ServiceTableTests, as rules: this kernel has no SCTP sockets |
/// | drop INVALID conntrack entries | StraySegmentTests "breaks no connection off, as it would …" |
/// | even load over endpoints | ServiceBalancingTests "are spread evenly by chance" |
///
/// Not here, for want of the thing itself: DNS, Ingress, the API server's proxy, health checks on
/// `healthCheckNodePort` (there is no daemon to answer them), `trafficDistribution` and hints (read, and
/// without effect), kube-proxy's CLOSE_WAIT timeout (a setting of the node).
struct UpstreamCase: Sendable, CustomTestStringConvertible {
  /// As upstream calls it.
  let testDescription: String
  /// What a node is told besides.
  var settings: Settings = .usual
  /// Shows it, on a cluster of its own.
  let show: @Sendable (ServiceCluster) throws -> Void

  /// What nodes are told besides.
  enum Settings {
    case usual
    /// What leaves the cluster is hidden behind the node.
    case masquerading
  }

  init(
    _ name: String, _ settings: Settings = .usual,
    show: @escaping @Sendable (ServiceCluster) throws -> Void
  ) {
    testDescription = name
    self.settings = settings
    self.show = show
  }

  static let all =
    pods + basics + withoutEndpoints + affinity + nodePorts + policies + balancers + changes
}

@Suite("Upstream's cases of [sig-network] hold on three nodes", .needsRoot)
struct UpstreamCaseTests {
  @Test("joined by either backend", arguments: UpstreamCase.all, Crossing.allCases)
  func holds(_ upstream: UpstreamCase, _ crossing: Crossing) throws {
    try upstream.show(
      ServiceCluster(
        crossing, settings: upstream.settings == .masquerading ? ["masquerade": true] : [:]))
  }
}
