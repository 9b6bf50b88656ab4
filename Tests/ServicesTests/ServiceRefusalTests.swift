import Addressing
import Services
import TestSupport
import Testing

@Suite("Where a service has nobody to answer", .needsRoot)
struct ServiceRefusalPacketTests {
  @Test("everybody is told at once", arguments: Way.all)
  func noBackends(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.cluster([]), try way.nodePort([]), try way.balanced([])])
    for host in [lab.pods[0], lab.node, lab.outside] {
      let refused = host === lab.node ? way.refusedAtHome : .refused
      let answers = [
        try lab.ask(way.transport, from: host, way.service, 80),
        try lab.ask(way.transport, from: host, way.node, 30_080),
      ]
      #expect(answers == [refused, refused])
    }
    for host in [lab.pods[0], lab.outside] {
      #expect(try lab.ask(way.transport, from: host, way.balancer, 80) == .refused)
    }
  }

  @Test("a port that is nobody's is refused at addresses of the cluster", arguments: Way.all)
  func unknownPort(way: Way) throws {
    let lab = try ServiceLab()
    let cluster = try way.cluster([1])
    try lab.serve([cluster])
    for host in [lab.pods[0], lab.node, lab.outside] {
      let refused = host === lab.node ? way.refusedAtHome : .refused
      #expect(try lab.ask(way.transport, from: host, way.service, 81) == refused)
    }
    // So it is when the service comes later, and no longer when it goes.
    try lab.change([cluster], [])
    #expect(
      try lab.ask(way.transport, from: lab.outside, way.service, 81, patience: 300) != .refused)
    try lab.change([], [cluster])
    #expect(try lab.ask(way.transport, from: lab.outside, way.service, 81) == .refused)
    #expect(try lab.ask(way.transport, from: lab.outside, way.service, 80).pod == 1)
  }

  @Test(
    "the policy Local for the cluster leads to nobody elsewhere, and is silent", arguments: Way.all)
  func localCluster(way: Way) throws {
    let lab = try ServiceLab()
    let remote = try way.cluster([3], localOnly: true)
    try lab.serve([remote])
    #expect(
      try lab.ask(way.transport, from: lab.pods[0], way.service, 80, patience: 300) == .silence)
    let atHome = try lab.ask(way.transport, from: lab.node, way.service, 80, patience: 300)
    #expect(atHome == (way.transport == .tcp ? .silence : .forbidden))
    let both = try way.cluster([3, 1], localOnly: true)
    try lab.change([remote], [both])
    #expect(
      try lab.pods(way.transport, from: lab.pods[0], way.service, 80, times: 12)
        == Array(repeating: 1, count: 12))
    try lab.change([both], [try way.cluster([], localOnly: true)])
    #expect(try lab.ask(way.transport, from: lab.pods[0], way.service, 80) == .refused)
  }

  @Test(
    "the policy Local for outside keeps the client's address and its node, but pods go anywhere",
    arguments: Way.all)
  func localOutside(way: Way) throws {
    let lab = try ServiceLab()
    let before = [
      try way.nodePort([3, 1], localOnly: true), try way.balanced([3, 1], localOnly: true),
    ]
    try lab.serve(before)
    for (address, port) in [(way.node, UInt16(30_080)), (way.balancer, 80)] {
      for _ in 0..<8 {
        #expect(
          try lab.ask(way.transport, from: lab.outside, address, port)
            == .heard(by: 1, from: way.outside))
      }
      let fromPod = Set(try lab.pods(way.transport, from: lab.pods[0], address, port, times: 30))
      #expect(fromPod == [1, 3])
    }
    #expect(
      Set(try lab.pods(way.transport, from: lab.node, way.node, 30_080, times: 30)) == [1, 3])

    // With nobody on this node, outside meets with silence; pods and the node do not.
    let after = [try way.nodePort([3], localOnly: true), try way.balanced([3], localOnly: true)]
    try lab.change(before, after)
    for (address, port) in [(way.node, UInt16(30_080)), (way.balancer, 80)] {
      #expect(
        try lab.ask(way.transport, from: lab.outside, address, port, patience: 300) == .silence)
      #expect(
        try lab.ask(way.transport, from: lab.pods[0], address, port)
          == .heard(by: 3, from: try way.pod(0)))
    }
    #expect(try lab.ask(way.transport, from: lab.node, way.node, 30_080).pod == 3)
  }

  @Test("who is not among the allowed sources meets with silence", arguments: Way.all)
  func sources(way: Way) throws {
    let lab = try ServiceLab()
    let allowed = [
      way.pick("192.0.2.2/32", "2001:db8::2/128"), way.pick("10.1.2.2/31", "fd00:1::2/127"),
    ]
    let frontends = [
      try way.nodePort([1], sources: allowed), try way.balanced([1], sources: allowed),
      try way.cluster([1]),
    ]
    try lab.serve(frontends)
    let stranger = way.pick("192.0.2.3", "2001:db8::3")
    for (address, port) in [(way.node, UInt16(30_080)), (way.balancer, 80)] {
      #expect(
        try lab.ask(way.transport, from: lab.outside, address, port).pod == 1)
      #expect(
        try lab.ask(
          way.transport, from: lab.outside, address, port, boundTo: stranger, patience: 300)
          == .silence)
      #expect(try lab.ask(way.transport, from: lab.pods[0], address, port).pod == 1)
      #expect(
        try lab.ask(way.transport, from: lab.pods[2], address, port, patience: 300) == .silence)
    }
    #expect(
      try lab.ask(way.transport, from: lab.outside, way.service, 80, boundTo: stranger).pod == 1)
    try lab.change(frontends, [try way.nodePort([1]), try way.balanced([1]), try way.cluster([1])])
    #expect(
      try lab.ask(way.transport, from: lab.outside, way.node, 30_080, boundTo: stranger).pod == 1)
  }
}

extension Way {
  /// What the node itself meets with where others are refused.
  fileprivate var refusedAtHome: Answer { transport == .tcp ? .refused : .forbidden }
}
