// swift-tools-version: 6.3
import PackageDescription

// The floors of architecture.md as data. An import goes down or stays out; CI builds with
// `--explicit-target-dependency-import-check error`, so an undeclared import fails the build.

/// The settings of every target, said once.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// A module of the house.
func floor(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target
{
  .target(
    name: name, dependencies: dependencies, path: path ?? "Sources/\(name)",
    swiftSettings: settings)
}

/// A plugin: a target of its own, so that plugins cannot lean on each other.
func plugin(_ name: String, in wing: String, _ dependencies: [Target.Dependency]) -> Target {
  floor("\(name)Plugin", ["CNI"] + dependencies, path: "Sources/Plugins/\(wing)/\(name)")
}

/// A program: `main.swift` and nothing else.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Sources/Programs/\(name)",
    swiftSettings: settings)
}

/// The tests of a module, or what tests share; beside Swift they may have files of other kinds.
func tests(
  _ name: String, _ dependencies: [Target.Dependency], at path: String? = nil,
  besides others: [String] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: path ?? "Tests/\(name)", exclude: others,
    resources: resources, swiftSettings: settings)
}

let ground: [Target.Dependency] = ["Addressing", "JSON", "Linux"]

let doors: [Target] = [
  .target(name: "CLinux", path: "Sources/CLinux"),
  .systemLibrary(
    name: "CLibNL", path: "Sources/CLibNL", pkgConfig: "libnl-3.0",
    providers: [.apt(["libnl-3-dev"])]),
  .systemLibrary(
    name: "CLibMNL", path: "Sources/CLibMNL", pkgConfig: "libmnl",
    providers: [.apt(["libmnl-dev"])]),
  .systemLibrary(
    name: "CLibYAML", path: "Sources/CLibYAML", pkgConfig: "yaml-0.1",
    providers: [.apt(["libyaml-dev"])]),
]

let floors: [Target] = [
  // 1 ground
  floor("Addressing"),
  floor("Digest"),
  floor("JSON"),
  floor("Linux", ["CLinux"]),
  floor("NodeFiles", ground),
  floor("YAML", ["CLibYAML", "JSON"]),
  // 2 wire
  floor("Netlink", ["CLibNL", "Linux"]),
  // 3 subjects
  floor("RouteNetlink", ["Netlink", "Addressing", "Linux", "CLinux"]),
  floor("Nftables", ["Netlink", "Addressing", "Linux", "CLinux"]),
  floor("Conntrack", ["Netlink", "Addressing", "Linux", "CLinux"]),
  floor("Iptables", ["Linux"]),
  floor("Firewalld", ["Addressing", "Linux"]),
  floor("CNI", ["NodeFiles"] + ground),
  floor("IPAM", ["Addressing", "Linux"]),
  floor("DHCPClient", ["Addressing", "Linux"]),
  // 4 craft
  floor(
    "Plumbing",
    [
      "CNI", "RouteNetlink", "Netlink", "Nftables", "Conntrack", "Iptables", "NodeFiles",
      "Addressing", "Digest", "JSON", "Linux",
    ]),
  floor("CNIRuntime", ["CNI", "Digest"] + ground),
  floor("Overlay", ["RouteNetlink", "Nftables", "Netlink", "NodeFiles", "Digest"] + ground),
  floor(
    "Services",
    ["Nftables", "Conntrack", "Netlink", "NodeFiles", "Digest"] + ground),
  floor("RulesetWalk", ["Nftables", "Addressing"]),
  // 5 wings
  plugin("Loopback", in: "Main", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("Bridge", in: "Main", ["Plumbing", "RouteNetlink", "Netlink", "Nftables"] + ground),
  plugin("PTP", in: "Main", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("Tap", in: "Main", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("Dummy", in: "Main", ["Plumbing", "RouteNetlink"] + ground),
  plugin("MACVLAN", in: "Main", ["Plumbing", "RouteNetlink"] + ground),
  plugin("VLAN", in: "Main", ["Plumbing", "RouteNetlink"] + ground),
  plugin("IPVLAN", in: "Main", ["Plumbing", "RouteNetlink"] + ground),
  plugin("HostDevice", in: "Main", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("Bandwidth", in: "Meta", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("SourceRouting", in: "Meta", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("VRF", in: "Meta", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin("Tuning", in: "Meta", ["Plumbing", "RouteNetlink", "Netlink"] + ground),
  plugin(
    "Firewall", in: "Meta",
    ["Plumbing", "RouteNetlink", "Netlink", "Nftables", "Iptables", "Firewalld", "Digest"]
      + ground),
  plugin(
    "PortMap", in: "Meta",
    ["Plumbing", "RouteNetlink", "Netlink", "Nftables", "Conntrack", "Iptables", "Digest"] + ground),
  plugin(
    "Service", in: "Meta", ["Plumbing", "RouteNetlink", "Netlink", "Services"] + ground),
  plugin("HostLocal", in: "IPAM", ["IPAM", "Conntrack", "NodeFiles"] + ground),
  plugin("Static", in: "IPAM", ground),
  plugin(
    "DHCP", in: "IPAM",
    ["DHCPClient", "Plumbing", "RouteNetlink", "Netlink", "Digest"] + ground),
  floor(
    "PluginSuite",
    [
      "CNI", "LoopbackPlugin", "BridgePlugin", "PTPPlugin", "HostLocalPlugin", "StaticPlugin",
      "DummyPlugin", "HostDevicePlugin", "IPVLANPlugin", "MACVLANPlugin", "VLANPlugin",
      "BandwidthPlugin", "FirewallPlugin", "TuningPlugin", "PortMapPlugin",
      "DHCPPlugin",
      "ServicePlugin",
      "SourceRoutingPlugin",
      "TapPlugin",
      "VRFPlugin",
    ],
    path: "Sources/Plugins/Suite"),
  floor(
    "OperatorCommands",
    [
      "CNIRuntime", "CNI", "IPAM", "Overlay", "NodeFiles", "Plumbing", "RulesetWalk", "Services",
      "RouteNetlink", "Nftables", "Netlink",
      "Addressing", "Digest", "JSON", "Linux", "YAML",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ]),
  // 6 programs
  program("cni", ["CNI", "PluginSuite"]),
  program("cnictl", ["OperatorCommands"]),
]

/// What tests share: never part of a release build, which names its product.
let proof: [Target] = [
  .target(
    name: "TestSupport", dependencies: ["CLinux", "Linux", "CNI", "Addressing", "JSON"],
    path: "Tests/TestSupport", swiftSettings: settings),
  .target(
    name: "Witness", dependencies: ["CLibMNL", "CLinux"], path: "Tests/Witness",
    swiftSettings: settings),
  tests("WitnessTests", ["Witness", "JSON", "TestSupport"]),
  tests("AddressingTests", ["Addressing"]),
  tests("DigestTests", ["Digest"]),
  tests("JSONTests", ["JSON", "Linux"]),
  tests("YAMLTests", ["YAML", "JSON"]),
  tests("LinuxTests", ["Linux", "TestSupport", "Witness"]),
  tests("NetlinkTests", ["Netlink", "Linux", "TestSupport"]),
  tests(
    "RouteNetlinkTests",
    ["RouteNetlink", "Netlink", "Addressing", "Linux", "TestSupport", "Witness"]),
  tests(
    "NftablesTests", ["Nftables", "Netlink", "Addressing", "Linux", "TestSupport", "Witness"],
    besides: ["Goldens"]),
  tests(
    "ConntrackTests", ["Conntrack", "Netlink", "Addressing", "Linux", "TestSupport", "Witness"]),
  tests("IptablesTests", ["Iptables", "Linux", "TestSupport"]),
  tests("FirewalldTests", ["Firewalld", "Addressing", "Linux", "TestSupport"]),
  tests("CNITests", ["CNI", "TestSupport"] + ground, resources: [.copy("Goldens")]),
  tests("DHCPClientTests", ["DHCPClient", "Addressing", "Linux", "TestSupport"]),
  tests(
    "OverlayTests",
    [
      "Overlay", "NodeFiles", "OperatorCommands", "PluginSuite", "CNI", "IPAM", "Plumbing",
      "RouteNetlink", "Nftables", "Netlink", "Mutation", "TestSupport", "Witness", "cni", "cnictl",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ] + ground),
  tests("IPAMTests", ["IPAM", "Addressing", "Linux", "TestSupport"]),
  tests(
    "PlumbingTests",
    ["Plumbing", "CNI", "RouteNetlink", "Netlink", "Nftables", "TestSupport", "Witness"] + ground),
  tests(
    "RulesetWalkTests",
    ["RulesetWalk", "Nftables", "Netlink", "Addressing", "Linux", "TestSupport"]),
  tests(
    "ServicesTests",
    [
      "Services", "Conntrack", "Nftables", "Netlink", "Addressing", "JSON", "Linux", "TestSupport",
      "Witness", "NodeFiles", "PacketChurn", "Mutation", "cni",
    ], besides: ["Goldens"]),
  tests(
    "CNIRuntimeTests", ["CNIRuntime", "CNI", "TestSupport"] + ground, resources: [.copy("Goldens")]),
  tests(
    "PluginTests",
    [
      "PluginSuite", "CNI", "Plumbing", "RouteNetlink", "Netlink", "Nftables", "Iptables",
      "IPAM", "cni",
      "TestSupport",
      "Witness",
    ] + ground),
  tests(
    "OperatorCommandsTests",
    [
      "OperatorCommands", "RulesetWalk", "Services", "Nftables", "Netlink", "CNIRuntime", "CNI",
      "IPAM", "TestSupport", "cni",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ] + ground),
  // The plugin that README and CNI's documentation show to those who write their own.
  .executableTarget(
    name: "gateway-resolver", dependencies: ["CNI"], path: "Tests/ExamplePlugin",
    swiftSettings: settings),
  tests(
    "ProgramTests",
    ["CNIRuntime", "CNI", "TestSupport", "Witness", "cni", "cnictl", "gateway-resolver"] + ground,
    besides: ["Lists"]),
  tests(
    "VMTests", ["TestSupport", "Linux", "cni", "cnictl"], at: "Tests/VM",
    besides: ["Guest", "boot.sh"]),
  tests("RuntimeTests", ["TestSupport", "Linux", "cni"], besides: ["Lab"]),
  // Hostile input: what makes it, and the built program under it.
  floor("Mutation", ["JSON", "Linux"], path: "Tests/Fuzz/Mutation"),
  floor(
    "FuzzTargets",
    [
      "PluginSuite", "CNI", "BandwidthPlugin", "BridgePlugin", "DHCPPlugin", "FirewallPlugin",
      "HostDevicePlugin", "HostLocalPlugin", "IPVLANPlugin", "MACVLANPlugin", "PTPPlugin",
      "PortMapPlugin", "StaticPlugin", "TapPlugin", "TuningPlugin", "VLANPlugin", "VRFPlugin",
      "IPAM", "DHCPClient", "Services", "Conntrack", "Nftables", "RouteNetlink", "Netlink",
    ] + ground,
    path: "Tests/Fuzz/Targets"),
  .executableTarget(
    name: "fuzz", dependencies: ["FuzzTargets", "Mutation", "JSON", "Linux"],
    path: "Tests/Fuzz/Program", swiftSettings: settings),
  tests(
    "FuzzTests", ["Mutation", "fuzz", "TestSupport", "Witness", "JSON", "Linux", "cni"],
    at: "Tests/Fuzz/Tests"),
  // Every fault there is, and the load of a busy node, on the built program.
  tests(
    "FaultTests",
    [
      "CNIRuntime", "CNI", "IPAM", "NodeFiles", "Services", "Mutation", "TestSupport", "Witness",
      "cni", "cnictl",
    ] + ground, at: "Tests/Faults", besides: ["run"]),
  // Random sequences of everything that happens to a node, beside a model of it.
  tests(
    "ModelTests",
    ["Mutation", "IPAM", "Addressing", "TestSupport", "Witness", "JSON", "Linux", "cni"]),
  // What the tests found, as a page.
  floor("ReportPage", ["Figures", "TestSupport", "JSON", "Linux"], path: "Tests/Report/Page"),
  .executableTarget(
    name: "testreport", dependencies: ["ReportPage", "Linux"], path: "Tests/Report/Program",
    swiftSettings: settings),
  tests(
    "ReportTests", ["ReportPage", "testreport", "TestSupport", "JSON", "Linux"],
    at: "Tests/Report/Tests", besides: ["Goldens"]),
  // The benchmark. It knows the plugins as programs only, so it can measure anybody's.
  floor("Figures", path: "Tests/Bench/Figures"),
  .executableTarget(
    name: "cnibench", dependencies: ["CLinux", "JSON", "Figures"], path: "Tests/Bench/cnibench",
    swiftSettings: settings),
  // Counts packets while pods of services come and go, for a test and for the benchmark.
  floor("PacketChurn", ["Addressing", "Linux"], path: "Tests/PacketChurn"),
  .executableTarget(
    name: "servicebench",
    dependencies: [
      "Services", "Nftables", "Netlink", "PacketChurn", "Addressing", "Linux", "Figures",
    ],
    path: "Tests/Bench/servicebench", swiftSettings: settings),
]

let package = Package(
  name: "swift-cni",
  products: [
    .executable(name: "cni", targets: ["cni"]),
    .executable(name: "cnictl", targets: ["cnictl"]),
    // Each with what stands in its interface, so that others can import that too.
    .library(name: "CNI", targets: ["CNI", "Addressing", "JSON", "Linux"]),
    .library(name: "IPAM", targets: ["IPAM", "Addressing", "Linux"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: doors + floors + proof,
  swiftLanguageModes: [.v6]
)
