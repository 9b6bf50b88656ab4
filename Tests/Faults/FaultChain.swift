import JSON
import TestSupport
import Testing

/// A list of plugins whose last one has the faults.
struct FaultChain: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// What is done on the host before, in a shell.
  var preparation = ""
  /// What runs beside the plugins.
  var companions: [FaultCompanion] = []
  /// The plugins for one of the pods: 0 stays throughout, 1 comes and goes.
  ///
  /// Addresses, ports and devices are each pod's own, so that an ADD makes the same each time.
  let plugins: @Sendable (_ pod: Int) -> [JSONObject]
  /// Faults that are tried whatever the sample: something was wrong there once.
  var known: @Sendable (Fault) -> Bool = { _ in false }
  /// Whether GC makes the host as it was; a device that is in the pod is not GC's to fetch.
  var isCollected = true

  var last: String { plugins(0).last?["type"]?.textValue ?? "" }
}

extension FaultChain {
  static let main = [
    FaultChain(testDescription: "loopback", plugins: { _ in [["type": "loopback"]] }),
    FaultChain(testDescription: "bridge", plugins: { [bridge($0)] }),
    FaultChain(
      testDescription: "ptp",
      plugins: { [["type": "ptp", "ipMasq": true, "ipam": leases($0)]] }),
    FaultChain(
      testDescription: "macvlan",
      plugins: { [["type": "macvlan", "master": "eth0", "ipam": leases($0, .v4)]] }),
    FaultChain(
      testDescription: "host-device",
      preparation: """
        for i in 0 1; do
          ip link add dev$i address 02:00:00:00:00:1$i type veth peer name end$i netns $OUTSIDE
        done
        """,
      plugins: {
        [["type": "host-device", "device": .string("dev\($0)"), "ipam": leases($0, .v4)]]
      }, isCollected: false),
    FaultChain(testDescription: "tap", plugins: { [["type": "tap", "ipam": leases($0)]] }),
  ]

  static let meta = [
    FaultChain(
      testDescription: "host-local", plugins: { [["type": "host-local", "ipam": leases($0)]] }),
    FaultChain(
      testDescription: "static",
      plugins: {
        [
          [
            "type": "static",
            "ipam": [
              "type": "static",
              "addresses": [
                ["address": .string("10.9.0.\($0 + 2)/24"), "gateway": "10.9.0.1"]
              ],
            ],
          ]
        ]
      }),
    FaultChain(
      testDescription: "dhcp", companions: [.server, .daemon],
      plugins: { pod in
        [
          ["type": "macvlan", "master": "eth0", "mac": .string("02:00:00:00:02:1\(pod)")],
          ["type": "dhcp", "ipam": ["type": "dhcp"]],
        ]
      },
      // It asked again for ever.
      known: {
        $0.kind == .sticky && $0.action == "error=EAGAIN"
          && ["sendto", "recvfrom"].contains($0.call.name)
      }),
    behindBridge("portmap") { pod in
      [
        "runtimeConfig": [
          "portMappings": [
            ["hostPort": .integer(8080 + pod), "containerPort": 80, "protocol": "tcp"],
            ["hostPort": .integer(8080 + pod), "containerPort": 53, "protocol": "udp"],
          ]
        ]
      ]
    },
    behindBridge("firewall") { _ in ["ingressPolicy": "same-bridge"] },
    behindBridge("bandwidth") { _ in
      [
        "ingressRate": 100_000_000, "ingressBurst": 10_000_000, "egressRate": 100_000_000,
        "egressBurst": 10_000_000,
      ]
    },
    behindBridge("tuning") { pod in
      [
        "mtu": 1400, "promisc": true, "mac": .string("02:86:00:00:00:1\(pod)"),
        "sysctl": ["net.ipv4.conf.IFNAME.arp_filter": "1"],
      ]
    },
    behindBridge("sbr") { _ in [:] },
    behindBridge(
      "service",
      preparation: """
        mkdir -p /run/services.d
        echo '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
          "spec": {"clusterIP": "10.96.0.7", "selector": {"app": "web"}, "ports": [{"port": 80}]}}' \\
          >/run/services.d/web.json
        """
    ) { _ in
      [
        "servicesDir": "/run/services.d", "settingsFile": "/run/services.json",
        "runDir": "/run/services", "stateDir": "/var/lib/services",
        "args": ["cni": ["labels": [["key": "app", "value": "web"]]]],
      ]
    },
  ]

  /// Those that need a kernel with links of their kind; the virtual machine has them all.
  static let stacked = [
    FaultChain(
      testDescription: "vlan",
      plugins: {
        [["type": "vlan", "master": "eth0", "vlanId": .integer(5 + $0), "ipam": leases($0, .v4)]]
      }),
    FaultChain(
      testDescription: "ipvlan",
      plugins: { [["type": "ipvlan", "master": "eth0", "ipam": leases($0, .v4)]] }),
    FaultChain(
      testDescription: "dummy", plugins: { [["type": "dummy", "ipam": leases($0, .v4)]] }),
    FaultChain(
      testDescription: "vrf",
      plugins: {
        [["type": "ptp", "ipam": leases($0)], ["type": "vrf", "vrfname": "blue"]]
      }),
  ]

  /// Whether the kernel at hand knows the links that the last plugin makes.
  var isPossible: Bool {
    do {
      return try LinkKinds.contain(last)
    } catch {
      // Without root, where nothing of this runs.
      return true
    }
  }

  private enum Families { case v4, both }

  /// One address of either family for each pod; on a network of others IPv6 would keep each ADD
  /// waiting until nobody has objected.
  private static func leases(_ pod: Int, _ families: Families = .both) -> JSONValue {
    let four = JSONValue.string("10.9.0.\(pod + 2)")
    let six = JSONValue.string("fd09::\(pod + 2)")
    let ranges: [JSONValue] = [
      [["subnet": "10.9.0.0/24", "rangeStart": four, "rangeEnd": four]],
      [["subnet": "fd09::/64", "rangeStart": six, "rangeEnd": six]],
    ]
    return [
      "type": "host-local",
      "ranges": .array(families == .both ? ranges : Array(ranges.prefix(1))),
    ]
  }

  private static func bridge(_ pod: Int) -> JSONObject {
    [
      "type": "bridge", "isGateway": true, "ipMasq": true, "macspoofchk": true,
      "hairpinMode": true, "ipam": leases(pod),
    ]
  }

  private static func behindBridge(
    _ type: String, preparation: String = "", _ keys: @escaping @Sendable (Int) -> JSONObject
  ) -> FaultChain {
    FaultChain(testDescription: type, preparation: preparation) { pod in
      [bridge(pod), JSONObject(members: [JSONMember("type", .string(type))] + keys(pod).members)]
    }
  }
}
