import Foundation
import FoundationXML
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
  func layout() {
    let layout = GraphLayout(of: Self.graph)
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
