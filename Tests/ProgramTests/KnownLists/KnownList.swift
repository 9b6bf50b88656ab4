import JSON
import Linux
import TestSupport
import Testing

/// A list that many nodes run as it is, with what its runtime says beside it.
///
/// The files in Tests/ProgramTests/Lists are what those programs or their documentation put into
/// `/etc/cni/net.d`; only the addresses are sometimes chosen.
struct KnownList: Sendable, CustomTestStringConvertible {
  /// One interface that a pod gets, by a list of its own.
  struct Network: Sendable {
    let file: String
    var interface = "eth0"
    /// Whether the host itself reaches pods on it, which it does not over a link below theirs.
    var isReachedByHost = true
    /// What the runtime asks for a pod on this network besides port mappings.
    var wishes: @Sendable (_ pod: Int) -> JSONObject = { _ in [:] }
  }

  /// How a runtime writes port mappings: by their names in Go, or as the convention has it.
  enum Spelling { case capital, conventional }

  let testDescription: String
  let networks: [Network]
  var spelling = Spelling.conventional
  /// The protocols that each port is mapped for, if any is.
  var transports = ["tcp"]
  /// The container's ID.
  let container: @Sendable (_ pod: Int) -> String
  /// `CNI_ARGS`.
  let arguments: @Sendable (_ pod: Int) -> String
  /// What the administrator or the runtime has done on the host before, in a shell.
  var preparation = ""
  /// Whether pods take the host's address on their way out.
  var isMasquerading = true
  /// Whether a plugin of another maker keeps the main plugin's configuration for itself.
  var hidesMainPlugin = false
  /// Addresses that a pod gets because somebody asked for them, on any of its interfaces.
  var promises: @Sendable (_ pod: Int) -> [String] = { _ in [] }
}

extension KnownList {
  static let all = [
    podman, podmanWeb, nerdctl, flannel, crio, multus, aws, nomad, kind,
  ]

  /// Podman's own network, from Debian's package.
  private static let podman = KnownList(
    testDescription: "Podman's default network",
    networks: [Network(file: "87-podman-bridge")],
    container: { hexadecimal($0) }, arguments: { "IgnoreUnknown=1;K8S_POD_NAME=web\($0)" })

  /// `podman network create`, and containers with `--ip` and `--mac-address`.
  private static let podmanWeb = KnownList(
    testDescription: "a dual-stack network of podman network create",
    networks: [
      Network(file: "podman-web", wishes: { ["aliases": ["web": [.string("web\($0)")]]] })
    ],
    transports: ["tcp", "udp"],
    container: { hexadecimal($0) },
    arguments: {
      "IgnoreUnknown=1;K8S_POD_NAME=web\($0);MAC=02:89:00:00:00:0\($0);IP=10.89.0.7\($0)"
    },
    promises: { ["10.89.0.7\($0)", "02:89:00:00:00:0\($0)"] })

  private static let nerdctl = KnownList(
    testDescription: "nerdctl's default network",
    networks: [Network(file: "nerdctl-bridge")],
    spelling: .capital,
    container: { "default-" + hexadecimal($0) },
    arguments: { "IgnoreUnknown=1;NERDCTL_CNI_DHCP_HOSTNAME=web\($0)" })

  private static let flannel = KnownList(
    testDescription: "a kubeadm node with flannel",
    networks: [loopback, Network(file: "10-flannel")],
    spelling: .capital,
    container: { hexadecimal($0) }, arguments: kubernetes, preparation: flanneld,
    isMasquerading: false, hidesMainPlugin: true)

  private static let crio = KnownList(
    testDescription: "CRI-O's default network",
    networks: [
      Network(file: "99-loopback", interface: "lo"), Network(file: "100-crio-bridge"),
    ],
    transports: [],
    container: { hexadecimal($0) }, arguments: kubernetes)

  /// The second network's wishes come from the pod's annotation.
  private static let multus = KnownList(
    testDescription: "Multus with a second network by macvlan",
    networks: [
      loopback, Network(file: "multus-default"),
      Network(
        file: "multus-macvlan", interface: "net1", isReachedByHost: false,
        wishes: {
          [
            "ips": [.string("192.168.1.20\($0)/24")], "mac": .string("c2:b0:57:49:47:f\($0)"),
          ]
        }),
    ],
    container: { hexadecimal($0) }, arguments: kubernetes, preparation: flanneld,
    isMasquerading: false, hidesMainPlugin: true,
    promises: { ["192.168.1.20\($0)", "c2:b0:57:49:47:f\($0)"] })

  /// With ptp in the place of aws-cni, which it resembles; bandwidth as containerd writes a limit
  /// that the pod's annotation asks for.
  private static let aws = KnownList(
    testDescription: "a node of EKS, with ptp",
    networks: [
      loopback,
      Network(
        file: "10-aws",
        wishes: { _ in
          [
            "bandwidth": [
              "IngressRate": 100_000_000, "IngressBurst": 4_294_967_295,
              "EgressRate": 100_000_000, "EgressBurst": 4_294_967_295,
            ]
          ]
        }),
    ],
    spelling: .capital,
    container: { hexadecimal($0) }, arguments: kubernetes, isMasquerading: false)

  /// Nomad opens its chain by itself; the host forwards nothing else.
  private static let nomad = KnownList(
    testDescription: "Nomad's bridge network",
    networks: [Network(file: "nomad")],
    spelling: .capital, transports: ["tcp", "udp"],
    container: { "0ac2c4fa-9e7c-8a3c-7bd1-24d2a9f1c60\($0)" },
    arguments: {
      "IgnoreUnknown=true;NOMAD_REGION=global;NOMAD_NAMESPACE=default;NOMAD_JOB_ID=web;"
        + "NOMAD_GROUP_NAME=web;NOMAD_ALLOC_ID=0ac2c4fa-9e7c-8a3c-7bd1-24d2a9f1c60\($0)"
    },
    preparation: """
      iptables -P FORWARD DROP
      iptables -N NOMAD-ADMIN
      iptables -A NOMAD-ADMIN -o nomad -d 172.26.64.0/20 -j ACCEPT
      """)

  private static let kind = KnownList(
    testDescription: "a node of kind",
    networks: [loopback, Network(file: "10-kindnet")],
    spelling: .capital,
    container: { hexadecimal($0) }, arguments: kubernetes, isMasquerading: false)

  /// Pods with everything that upstream 1.1.1 has, and a second interface.
  static let node = ["node-macvlan", "node-ptp"].map { second in
    KnownList(
      testDescription: "a node with every plugin in its list, and \(second)",
      networks: [
        loopback,
        Network(
          file: "node-pods",
          wishes: { pod in
            let hexadecimal = String(pod + 16, radix: 16)
            return [
              "mac": .string("02:86:00:00:00:\(hexadecimal)"),
              "bandwidth": [
                "IngressRate": 100_000_000, "IngressBurst": 4_294_967_295,
                "EgressRate": 100_000_000, "EgressBurst": 4_294_967_295,
              ],
            ]
          }),
        Network(file: second, interface: "net1"),
      ],
      spelling: .capital, transports: ["tcp", "udp"],
      container: { hexadecimal($0) }, arguments: kubernetes)
  }

  /// The same with our own packet filter behind it.
  static let sweep = KnownList(
    testDescription: "every plugin, by nftables alone",
    networks: [Network(file: "node-pods-nftables", wishes: node[0].networks[1].wishes)],
    container: { hexadecimal($0) }, arguments: kubernetes)

  /// What containerd brings up first in every pod.
  private static let loopback = Network(file: "cni-loopback", interface: "lo")

  /// What flanneld has written.
  private static let flanneld = """
    mkdir -p /run/flannel
    cat >/run/flannel/subnet.env <<END
    FLANNEL_NETWORK=10.244.0.0/16
    FLANNEL_SUBNET=10.244.0.1/24
    FLANNEL_IPV6_NETWORK=2001:cafe:42::/56
    FLANNEL_IPV6_SUBNET=2001:cafe:42::1/64
    FLANNEL_MTU=1450
    FLANNEL_IPMASQ=true
    END
    """

  private static func hexadecimal(_ pod: Int) -> String {
    String(repeating: "5f3a8b1c", count: 7) + "0000000\(pod)"
  }

  private static let kubernetes: @Sendable (Int) -> String = {
    "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-\($0);"
      + "K8S_POD_INFRA_CONTAINER_ID=\(hexadecimal($0));"
      + "K8S_POD_UID=2b4aa5c7-6f0a-4a6c-9d3e-6f1d7b0c1f3\($0);IgnoreUnknown=1"
  }
}

extension KnownList {
  /// The versions it is tried in: its own, and the newest, which runtimes choose that know
  /// `cniVersions`.
  enum Version: CaseIterable { case asWritten, newest }

  /// The text of one of its files.
  func text(of network: Network, _ version: Version) throws -> [UInt8] {
    let path = BuiltProgram.source("Tests/ProgramTests/Lists/\(network.file).conflist")
    let bytes = try File.readIfPresent(path, limit: 1 << 16) ?? []
    guard version == .newest, var document = try JSONParser.parse(bytes).objectValue else {
      return bytes
    }
    document["cniVersion"] = "1.1.0"
    document["disableCheck"] = nil
    return JSONWriter.write(.object(document))
  }

  /// A port of the host mapped to one of the pod, for each transport, as the runtime writes it.
  func mapping(of host: UInt16, to pod: UInt16) -> JSONValue {
    let host = JSONValue.integer(Int(host))
    let pod = JSONValue.integer(Int(pod))
    return .array(
      transports.map { name -> JSONValue in
        let transport = JSONValue.string(name)
        switch spelling {
        case .capital:
          return ["HostPort": host, "ContainerPort": pod, "Protocol": transport, "HostIP": ""]
        case .conventional:
          return ["hostPort": host, "containerPort": pod, "protocol": transport, "hostIP": ""]
        }
      })
  }
}
