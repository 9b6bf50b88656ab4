import Addressing
import Foundation
import FoundationXML
import Linux
import Services
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("The picture of a node")
struct GraphTests {
  /// A node with a pod on two networks, one that a pair without a bridge leads to, and one of which
  /// only an address is known.
  static var graph: NodeGraph {
    let report = NodeReport(networks: [
      NodeReport.Network(
        name: "pods",
        attachments: [
          NodeReport.Attachment(
            container: "c1", interface: "eth0", pod: "shop/web", addresses: ["10.1.0.2/24"],
            hostLinks: ["cni0", "veth1"], ports: ["8080/tcp → 80"], namespaceState: .present,
            source: .result),
          NodeReport.Attachment(
            container: "c9", interface: "eth0", addresses: ["10.1.0.9"],
            namespaceState: .unknown, source: .lease),
        ]),
      NodeReport.Network(
        name: "routed",
        attachments: [
          NodeReport.Attachment(
            container: "c1", interface: "net1", pod: "shop/web", addresses: ["10.2.0.2/32"],
            hostLinks: ["veth2"], namespaceState: .gone, source: .result)
        ]),
    ])
    let links = HostLinks([
      HostLinks.Item(name: "eth0", addresses: ["192.0.2.2/24"], leadsOut: true),
      HostLinks.Item(name: "cni0", kind: "bridge", addresses: ["10.1.0.1/24", "fd00::1/64"]),
      HostLinks.Item(name: "veth1", kind: "veth", master: "cni0"),
      HostLinks.Item(name: "veth2", kind: "veth"),
    ])
    return NodeGraph(of: report, links, hostName: "node-1")
  }

  @Test("shows each pod once, behind the bridges and links that lead to it")
  func mermaid() {
    #expect(
      Self.graph.mermaid == """
        flowchart LR
          n0["node-1<br/>eth0 192.0.2.2/24"]
          n1(("the world outside"))
          n2("shop/web<br/>eth0 on pods 10.1.0.2/24<br/>host port 8080/tcp → 80<br/>\
        net1 on routed 10.2.0.2/32<br/>its namespace is gone")
          n3{{"cni0<br/>10.1.0.1/24<br/>fd00::1/64"}}
          n4("c9<br/>eth0 on pods 10.1.0.9")
          n1 ---|"eth0"| n0
          n0 --- n3
          n3 ---|"veth1"| n2
          n0 --- n4
          n0 ---|"veth2"| n2
        """)
  }

  @Test("is a well-formed picture, whatever things are called")
  func svg() throws {
    var report = NodeReport()
    report.networks = [
      NodeReport.Network(
        name: "n",
        attachments: [
          NodeReport.Attachment(
            container: "<&\">]]>\u{1}", addresses: [], namespaceState: .unknown, source: .lease)
        ])
    ]
    for graph in [Self.graph, NodeGraph(of: report, HostLinks([]), hostName: "a&b")] {
      let reader = Reader()
      let parser = XMLParser(data: try #require(graph.svg.data(using: .utf8)))
      parser.delegate = reader
      #expect(parser.parse(), "\(String(describing: parser.parserError))")
      #expect(reader.count["rect"] == graph.boxes.count)
      #expect(reader.count["path"] == graph.ways.count)
      #expect(
        graph.boxes.allSatisfy { reader.texts.contains($0.name.replacing("\u{1}", with: " ")) })
    }
  }

  @Test("puts no box over another, and none outside the paper")
  func layout() { Self.expectRoom(in: Self.graph) }

  static func expectRoom(in graph: NodeGraph) {
    let layout = GraphLayout(of: graph)
    for (place, frame) in layout.frames.enumerated() {
      #expect(frame.x >= 0 && frame.y >= 0)
      #expect(frame.right <= layout.width && frame.y + frame.height <= layout.height)
      for other in layout.frames[(place + 1)...] {
        #expect(
          frame.right <= other.x || other.right <= frame.x || frame.y + frame.height <= other.y
            || other.y + other.height <= frame.y)
      }
    }
  }

  /// A node with so many services before so many pods, each with three of them, and the last with none.
  static func crowd(services count: Int, pods podCount: Int) throws -> NodeGraph {
    let attachments = (0..<podCount).map { number in
      NodeReport.Attachment(
        container: "c\(number)", interface: "eth0", pod: "shop/pod-\(number)",
        addresses: ["10.1.0.\(number + 2)/24"], hostLinks: ["cni0", "veth\(number)"],
        namespaceState: .present, source: .result)
    }
    var links = [
      HostLinks.Item(name: "eth0", addresses: ["192.0.2.2/24"], leadsOut: true),
      HostLinks.Item(name: "cni0", kind: "bridge", addresses: ["10.1.0.1/24"]),
    ]
    links += (0..<podCount).map {
      HostLinks.Item(name: "veth\($0)", kind: "veth", master: "cni0")
    }
    let services = try (0..<count).map { number in
      try service(
        "shop/service-\(number)", "10.96.0.\(number + 1)",
        nodePort: number % 3 == 0 ? 30_000 + UInt16(number) : nil,
        number == count - 1
          ? [] : (0..<3).map { "10.1.0.\((number * podCount / count + $0) % podCount + 2)" })
    }
    return NodeGraph(
      of: NodeReport(networks: [NodeReport.Network(name: "pods", attachments: attachments)]),
      HostLinks(links), services: services, hostName: "node-1")
  }

  /// A service for which these addresses answer.
  static func service(
    _ name: String, _ address: String, nodePort: UInt16? = nil, _ backends: [String],
    change: (inout Service) -> Void = { _ in }
  ) throws -> ResolvedService {
    var service = Service(try #require(ServiceName(name)), nodePort == nil ? .cluster : .node)
    service.clusterAddresses = [try IPAddress(address)]
    service.ports = [ServicePort("http", .tcp, 80, to: .number(8080), nodePort: nodePort)]
    change(&service)
    var resolved = ResolvedService(service, file: "x.json")
    resolved.frontends = [
      Frontend(
        .address(try IPAddress(address)), .tcp, port: 80, for: .cluster,
        backends: try backends.map { Backend(try IPAddress($0), port: 8080) })
    ]
    return resolved
  }

  @Test("shows services with their addresses and ports, behind the pods that answer for them")
  func services() throws {
    let graph = NodeGraph(
      of: NodeReport(networks: [
        NodeReport.Network(
          name: "pods",
          attachments: ["web", "db"].enumerated().map { place, name in
            NodeReport.Attachment(
              container: "c\(place)", interface: "eth0", pod: "shop/\(name)",
              addresses: ["10.1.0.\(place + 2)/24"], namespaceState: .present, source: .result)
          })
      ]), HostLinks([]),
      services: [
        try Self.service("idle", "10.96.0.1", []),
        try Self.service("shop/db", "10.96.0.2", ["10.1.0.3", "10.5.2.2", "10.5.2.3", "10.5.2.4"]) {
          $0.balancing = .clientAffinity(seconds: 60)
        },
        try Self.service("shop/web", "10.96.0.3", nodePort: 30080, ["10.1.0.2", "10.1.0.3"]) {
          $0.balancerAddresses = [IPAddress(bits: 0xc633_6407, family: .v4)]
        },
      ], hostName: "node-1")
    #expect(
      graph.mermaid == """
        flowchart LR
          n0["node-1"]
          n1("shop/web<br/>eth0 on pods 10.1.0.2/24")
          n2("shop/db<br/>eth0 on pods 10.1.0.3/24")
          n3(["shop/web<br/>10.96.0.3<br/>outside 198.51.100.7<br/>80/tcp → 8080, node port 30080"])
          n4(["shop/db<br/>10.96.0.2<br/>80/tcp → 8080<br/>a client keeps its pod<br/>\
        elsewhere 10.5.2.2 10.5.2.3 …"])
          n5(["idle<br/>10.96.0.1<br/>80/tcp → 8080<br/>nobody answers"])
          n0 --- n1
          n0 --- n2
          n1 -.- n3
          n2 -.- n3
          n2 -.- n4
        """)
    #expect(graph.svg.contains(#"<g class="service c2 idle">"#))
  }

  @Test("draws any number of services", arguments: [(0, 3), (1, 3), (3, 6), (30, 40)])
  func crowds(_ services: Int, _ pods: Int) throws {
    let graph = try Self.crowd(services: services, pods: pods)
    Self.expectRoom(in: graph)
    if let directory = Environment.current()["SWIFT_CNI_PICTURES"] {
      try File.replace(
        "\(directory)/services-\(services).svg", with: Array(graph.svg.utf8), flushed: false)
    }
    let answers = graph.ways.filter(\.isAnswer)
    #expect(answers.count == 3 * max(0, services - 1))
    #expect(answers.allSatisfy { graph.boxes[$0.to].kind == .service })
    #expect(graph.svg.components(separatedBy: "class=\"way answer").count == answers.count + 1)
  }

  @Test("is drawn from what the node remembers", .needsRoot)
  func command() throws {
    let node = try Node()
    let pod = try NamedNamespace()
    try node.run(
      ["add", "pods", pod.path, "--container", "c1"],
      environment: [
        "CNI_ARGS": "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web",
        "CAP_ARGS": #"{"portMappings": [{"hostPort": 8080, "containerPort": 80}]}"#,
      ])
    _ = node.output()
    try node.run(["graph"])
    #expect(
      node.output().contains("shop/web<br/>eth0 on pods 10.1.2.3/24<br/>host port 8080/tcp → 80"))
    try node.run(["graph", "pods", "--format", "svg"])
    #expect(node.output().hasPrefix("<svg "))
    #expect(throws: OperatorFailure.self) { try node.run(["graph", "nobody"]) }
  }

  /// Counts elements and keeps texts.
  private final class Reader: NSObject, XMLParserDelegate {
    var count: [String: Int] = [:]
    var texts: Set<String> = []
    private var text = ""

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      count[name, default: 0] += 1
      text = ""
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text += characters }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) {
      texts.insert(text)
    }
  }
}
