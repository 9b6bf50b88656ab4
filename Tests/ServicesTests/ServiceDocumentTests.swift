import Addressing
import JSON
import Testing

@testable import Services

@Suite("A file of definitions")
struct ServiceDocumentTests {
  @Test("is read as kubectl prints services")
  func kubectlServices() throws {
    let document = try Golden.document("kubectl-get-services.json")
    #expect(
      document.services.map(\.name.description) == [
        "default/kubernetes", "kube-system/kube-dns", "front/shop", "front/db",
      ])
    let dns = document.services[1]
    #expect(dns.clusterAddresses == [try IPAddress("10.96.0.10")])
    #expect(
      dns.ports == [
        ServicePort("dns", .udp, 53), ServicePort("dns-tcp", .tcp, 53),
      ])
    #expect(dns.selector?.matches(["k8s-app": "kube-dns", "pod-template-hash": "x"]) == true)
    #expect(dns.selector?.matches(["k8s-app": "other"]) == false)
    let shop = document.services[2]
    #expect(shop.kind == .balancer)
    #expect(shop.families == [.v4, .v6])
    #expect(shop.familyPolicy == .preferDual)
    #expect(shop.externalIsLocal && !shop.internalIsLocal)
    #expect(shop.balancing == .clientAffinity(seconds: 600))
    #expect(shop.sources == [try Subnet("192.0.2.0/24"), try Subnet("2001:db8::/32")])
    #expect(shop.ports == [ServicePort("http", .tcp, 80, to: .name("web"), nodePort: 30080)])
    #expect(shop.balancerAddresses.isEmpty, "what another cluster gave it is status, not a wish")
    let database = document.services[3]
    #expect(database.isHeadless && database.includesNotReady && database.clusterAddresses.isEmpty)

    let refusal = try #require(document.refusals.first)
    #expect(document.refusals.count == 1)
    #expect(refusal.object == "Service front/elsewhere")
    #expect(refusal.path == "items[4].spec.type")
    #expect(refusal.reason.contains("ExternalName"))
  }

  @Test("is read as kubectl prints endpoint slices")
  func kubectlSlices() throws {
    let document = try Golden.document("kubectl-get-endpointslices.json")
    #expect(document.refusals.isEmpty)
    let slice = try #require(document.slices.first)
    #expect(slice.service == ServiceName("front/shop"))
    #expect(slice.ports == [.init(name: "http", transport: .tcp, number: 8080)])
    #expect(slice.endpoints.map(\.readiness) == [.ready, .terminating, .notReady])
    #expect(slice.endpoints.map(\.node) == ["node-b", "node-a", "node-b"])
  }

  @Test(
    "means the same after it has been written by us",
    arguments: [
      "kubectl-get-services.json"
    ])
  func roundTrip(_ name: String) throws {
    for service in try Golden.document(name).services {
      let bytes = JSONWriter.write(.object(service.document))
      let again = ServiceDocument(bytes, file: "again")
      #expect(again.refusals.isEmpty)
      #expect(again.services == [service])
    }
  }

  @Test("gives shares and hashing by annotations of ours")
  func annotations() throws {
    let document = ServiceDocument(
      spec: #"{"ports":[{"port":80}],"selector":{"app":"web"}}"#,
      annotations: """
        {"swift-cni.dev/affinity":"hash","swift-cni.dev/weights":"track=canary:1, track=stable:9"}
        """)
    #expect(document.refusals.isEmpty)
    let service = try #require(document.services.first)
    #expect(service.balancing == .sourceHash)
    #expect(
      service.weights == [
        LabelWeight(pair: .init(key: "track", value: "canary"), weight: 1),
        LabelWeight(pair: .init(key: "track", value: "stable"), weight: 9),
      ])
  }

  /// A definition that is refused, and where.
  struct Bad: Sendable, CustomTestStringConvertible {
    let spec: String
    var annotations = "{}"
    let path: String
    let reason: String
    var testDescription: String { path + " " + reason }
  }

  @Test(
    "is refused with the key, the reason and a remedy",
    arguments: [
      Bad(
        spec: #"{"ports":[{"port":80}],"typ":"NodePort"}"#, path: "spec.typ",
        reason: "not supported"),
      Bad(
        spec: #"{"ports":[{"port":80}],"type":"External"}"#, path: "spec.type", reason: "External"),
      Bad(spec: #"{"ports":[]}"#, path: "spec.ports", reason: "none"),
      Bad(spec: #"{}"#, path: "spec.ports", reason: "none"),
      Bad(spec: #"{"ports":[{"port":0}]}"#, path: "spec.ports[0].port", reason: "no port"),
      Bad(spec: #"{"ports":[{"port":70000}]}"#, path: "spec.ports[0].port", reason: "70000"),
      Bad(spec: #"{"ports":[{"port":"80"}]}"#, path: "spec.ports[0].port", reason: "whole number"),
      Bad(spec: #"{"ports":[{"targetPort":80}]}"#, path: "spec.ports[0].port", reason: "missing"),
      Bad(
        spec: #"{"ports":[{"port":80,"protocol":"ICMP"}]}"#, path: "spec.ports[0].protocol",
        reason: "ICMP"),
      Bad(
        spec: #"{"ports":[{"port":80,"targetPort":"80"}]}"#, path: "spec.ports[0].targetPort",
        reason: "80"),
      Bad(
        spec: #"{"ports":[{"port":80},{"port":81}]}"#, path: "spec.ports[0].name", reason: "several"
      ),
      Bad(
        spec: #"{"ports":[{"name":"a","port":80},{"name":"a","port":81}]}"#,
        path: "spec.ports[1].name", reason: "another port"),
      Bad(
        spec: #"{"ports":[{"name":"a","port":80},{"name":"b","port":80}]}"#, path: "spec.ports[1]",
        reason: "twice"),
      Bad(
        spec: #"{"ports":[{"port":80,"nodePort":30000}]}"#, path: "spec.ports[0].nodePort",
        reason: "ClusterIP"),
      Bad(
        spec: #"{"ports":[{"port":80}],"clusterIP":"10.1"}"#, path: "spec.clusterIPs",
        reason: "10.1"),
      Bad(
        spec: #"{"ports":[{"port":80}],"clusterIP":"127.0.0.1"}"#, path: "spec.clusterIPs",
        reason: "one host"),
      Bad(
        spec: #"{"ports":[{"port":80}],"clusterIP":"None","type":"NodePort"}"#,
        path: "spec.clusterIP", reason: "NodePort"),
      Bad(
        spec: #"{"ports":[{"port":80}],"clusterIP":"10.96.0.1","clusterIPs":["10.96.0.2"]}"#,
        path: "spec.clusterIP", reason: "first"),
      Bad(
        spec: #"{"ports":[{"port":80}],"clusterIPs":["10.96.0.1","10.96.0.2"]}"#,
        path: "spec.clusterIPs", reason: "twice"),
      Bad(
        spec: #"{"ports":[{"port":80}],"clusterIP":"10.96.0.1","ipFamilies":["IPv6"]}"#,
        path: "spec.clusterIPs", reason: "families"),
      Bad(
        spec: #"{"ports":[{"port":80}],"selector":{"app":"a b"}}"#, path: "spec.selector",
        reason: "a b"),
      Bad(
        spec: #"{"ports":[{"port":80}],"selector":{"app":7}}"#, path: "spec.selector.app",
        reason: "text"),
      Bad(
        spec: #"{"ports":[{"port":80}],"sessionAffinity":"Cookie"}"#, path: "spec.sessionAffinity",
        reason: "Cookie"),
      Bad(
        spec:
          #"{"ports":[{"port":80}],"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":0}}}"#,
        path: "spec.sessionAffinityConfig.clientIP.timeoutSeconds", reason: "range"),
      Bad(
        spec: #"{"ports":[{"port":80}],"internalTrafficPolicy":"Near"}"#,
        path: "spec.internalTrafficPolicy", reason: "Near"),
      Bad(
        spec: #"{"ports":[{"port":80}],"loadBalancerSourceRanges":["192.0.2.1/24"]}"#,
        path: "spec.loadBalancerSourceRanges", reason: "host bits"),
      Bad(
        spec: #"{"ports":[{"port":80}],"loadBalancerClass":"example.com/x"}"#,
        path: "spec.loadBalancerClass", reason: "another program"),
      Bad(
        spec: #"{"ports":[{"port":80}],"type":"ClusterIP","type":"NodePort"}"#, path: "spec.type",
        reason: "twice"),
      Bad(
        spec: #"{"ports":[{"port":80}]}"#, annotations: #"{"swift-cni.dev/afinity":"hash"}"#,
        path: "metadata.annotations", reason: "afinity"),
      Bad(
        spec: #"{"ports":[{"port":80}]}"#, annotations: #"{"swift-cni.dev/weights":"a=b:101"}"#,
        path: "metadata.annotations", reason: "weights"),
      Bad(
        spec: #"{"ports":[{"port":80}],"sessionAffinity":"ClientIP"}"#,
        annotations: #"{"swift-cni.dev/affinity":"hash"}"#, path: "metadata.annotations",
        reason: "exclude"),
    ])
  func refused(_ bad: Bad) throws {
    let document = ServiceDocument(spec: bad.spec, annotations: bad.annotations)
    #expect(document.services.isEmpty)
    let refusal = try #require(document.refusals.first)
    #expect(document.refusals.count == 1)
    #expect(refusal.path == bad.path)
    #expect(refusal.reason.contains(bad.reason), "\(refusal)")
    #expect(!refusal.remedy.isEmpty)
    #expect(refusal.file == "web.json")
    #expect(refusal.object == "Service default/web")
    #expect(refusal.service == ServiceName("web"))
    #expect(!document.isUnreadable)
  }

  @Test(
    "takes no endpoint that is every host's own, or its neighbours' (CVE-2021-25737, O15)",
    arguments: [
      "127.0.0.1", "127.1.2.3", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1",
      "::", "fe80::1", "ff02::1", "010.0.0.1", "10.0.0.1/24", "::ffff:127.0.0.1",
    ])
  func badEndpoint(_ address: String) {
    let kind = address.contains(":") ? "IPv6" : "IPv4"
    let document = ServiceDocument(
      text: """
        {"apiVersion":"v1","kind":"List","items":[
         {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"\(kind)",
          "metadata":{"name":"web-1","labels":{"kubernetes.io/service-name":"web"}},
          "ports":[{"port":80}],"endpoints":[{"addresses":["\(address)"]}]},
         {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
          "metadata":{"name":"web-2","labels":{"kubernetes.io/service-name":"web"}},
          "ports":[{"port":80}],"endpoints":[{"addresses":["10.2.0.1"]}]}]}
        """)
    #expect(document.slices.map(\.name) == ["web-2"])
    #expect(document.refusals.map(\.object) == ["EndpointSlice default/web-1"])
  }

  @Test("loses only what is bad in a list")
  func partly() {
    let document = ServiceDocument(
      text: """
        {"apiVersion":"v1","kind":"List","items":[
          {"apiVersion":"v1","kind":"Service","metadata":{"name":"one"},
           "spec":{"ports":[{"port":80}]}},
          {"apiVersion":"v1","kind":"Service","metadata":{"name":"Two"},
           "spec":{"ports":[{"port":80}]}},
          {"apiVersion":"v1","kind":"Deployment","metadata":{"name":"three"},"spec":{}},
          {"apiVersion":"v1","kind":"List","items":[]},
          {"apiVersion":"v2","kind":"Service","metadata":{"name":"four"},"spec":{}},
          7,
          {"apiVersion":"v1","kind":"Service","metadata":{"name":"five"},
           "spec":{"ports":[{"port":81}]}}]}
        """)
    #expect(document.services.map(\.name.name) == ["one", "five"])
    #expect(
      document.refusals.map(\.path) == [
        "items[1].metadata.name", "items[2].kind", "items[3]", "items[4].apiVersion", "items[5]",
      ])
  }

  @Test(
    "that is no JSON object of ours is refused as a whole",
    arguments: ["", "{", "[]", "null", #"{"kind":"List","apiVersion":"v1"}"#, "kind: Service"])
  func unreadable(_ text: String) {
    let document = ServiceDocument(text: text)
    #expect(document.services.isEmpty && document.slices.isEmpty)
    #expect(document.refusals.count == 1)
  }
}
