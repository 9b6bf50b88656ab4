import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

extension SecurityTests {
  @Suite("A mapped port, and what is not to reach it or through it")
  struct Ports {
    @Test(
      "takes nothing from packets that only pass through the host (CVE-2025-67499, S08)",
      arguments: [nil, "192.0.2.2"])
    func passingThrough(_ hostAddress: String?) throws {
      let lab = try PortMapLab()
      let pod = try lab.attach("one")
      let sibling = try lab.attach("two")
      try lab.outside.run { try TestProgram.ip("route add 10.1.2.0/24 via 192.0.2.1") }
      let elsewhere = try Listener(.udp, in: lab.outside, at: "192.0.2.2")
      let server = try Listener(.udp, in: pod.pod.namespace, at: pod.addresses[0])
      // Also with an address that is not the host's: it may become so, and then it is translated.
      _ = try lab.map(pod, .mapping(elsewhere.port, server.port, "udp", on: hostAddress))
      for speaker in [sibling.pod, pod.pod] {
        let heard = try elsewhere.source(
          of: speaker.namespace, speakingTo: "192.0.2.2", port: elsewhere.port)
        #expect(heard?.hasPrefix("10.1.2.") == true)
      }
      let heard = try elsewhere.source(
        of: lab.lab.host, speakingTo: "192.0.2.2", port: elsewhere.port)
      #expect(heard == "192.0.2.1")
      if hostAddress != nil {
        try lab.lab.ip("addr add 192.0.2.2/32 dev lo")
        #expect(
          try server.source(
            of: sibling.pod.namespace, speakingTo: "192.0.2.2", port: elsewhere.port)
            != nil)
      }
    }

    @Test("leaves a service of others its port (CVE-2019-9946, S07)")
    func services() throws {
      let lab = try PortMapLab()
      let pod = try lab.attach("one")
      let sibling = try lab.attach("two")
      let server = try Listener(.tcp, in: pod.pod.namespace, at: pod.addresses[0])
      let service = try Listener(.tcp, in: sibling.pod.namespace, at: sibling.addresses[0])
      _ = try lab.map(pod, .mapping(8080, server.port))
      #expect(
        try server.source(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == "192.0.2.2")
      // As kube-proxy does it, made after the mapping and at the usual place.
      try lab.lab.host.run {
        try TestProgram.nft("add table ip services")
        try TestProgram.nft(
          "add chain ip services nodeports { type nat hook prerouting priority dstnat ; }")
        try TestProgram.nft(
          "add rule ip services nodeports tcp dport 8080 dnat to \(sibling.addresses[0]):\(service.port)"
        )
      }
      #expect(
        try service.source(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == "192.0.2.2")
      #expect(try server.stray(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == nil)
    }

    @Test("does not open the host's loopback services to pods (CVE-2020-8558, S05)")
    func loopback() throws {
      for plugin in PairPlugin.allCases {
        let lab = try PortMapLab(plugin: plugin)
        let pod = try lab.attach("one")
        let service = try Listener(.udp, in: lab.lab.host, at: "127.0.0.1")
        let network = try lab.map(pod, .mapping(8080, 80, "udp"))
        // A pod that is root in its namespace can send to 127.0.0.1 over its link.
        try pod.pod.run {
          try Sysctl.write(["net", "ipv4", "conf", "eth0", "route_localnet"], "1")
          try TestProgram.ip("addr del 127.0.0.1/8 dev lo")
          try TestProgram.ip("route add 127.0.0.1/32 via 10.1.2.1")
        }
        #expect(
          try service.stray(of: pod.pod.namespace, speakingTo: "127.0.0.1", port: service.port)
            == nil)
        // Without the guard it would get through.
        try lab.lab.host.run { try TestProgram.nft("flush chain inet swift_cni portmap_guard") }
        #expect(
          try service.source(of: pod.pod.namespace, speakingTo: "127.0.0.1", port: service.port)
            != nil)
        try lab.lab.delete(network, pod.pod).succeed()
        if plugin == .ptp {
          // A link of the pod's alone is as it was before the mapping.
          let links = try lab.lab.host.run { try Witness.links() }.filter {
            $0.name.hasPrefix("veth")
          }
          for link in links {
            #expect(try lab.lab.setting("ipv4", "conf", link.name, "route_localnet") == "0")
          }
          #expect(try lab.elements("portmap_guarded").isEmpty)
        }
      }
    }

    @Test(
      "does not open the host's loopback services to neighbours on the wire (CVE-2020-8558, S05)")
    func neighbours() throws {
      let lab = try PortMapLab()
      let pod = try lab.attach("one")
      let service = try Listener(.udp, in: lab.lab.host, at: "127.0.0.1")
      _ = try lab.map(pod, .mapping(8080, 80, "udp"))
      try lab.outside.run {
        try Sysctl.write(["net", "ipv4", "conf", "eth0", "route_localnet"], "1")
        try TestProgram.ip("addr del 127.0.0.1/8 dev lo")
        try TestProgram.ip("route add 127.0.0.1/32 via 192.0.2.1")
      }
      #expect(
        try service.stray(of: lab.outside, speakingTo: "127.0.0.1", port: service.port) == nil)
      // Only links of pods are let through at all, so the wire must be opened by hand for them to.
      try lab.lab.host.run {
        try Sysctl.write(["net", "ipv4", "conf", "out", "route_localnet"], "1")
      }
      #expect(
        try service.source(of: lab.outside, speakingTo: "127.0.0.1", port: service.port) != nil)
    }

    @Test("of 53 is not the resolver of all that passes, for both families (CVE-2025-67499, S08)")
    func names() throws {
      let lab = try PortMapLab()
      let pod = try lab.attach("one")
      let client = try lab.attach("two")
      let server = try Listener(.udp, in: pod.pod.namespace, at: pod.addresses[0])
      let server6 = try Listener(.udp, in: pod.pod.namespace, at: pod.addresses[1])
      try lab.outside.run {
        for subnet in ["10.1.2.0/24 via 192.0.2.1", "fd00:1::/64 via 2001:db8::1"] {
          try TestProgram.ip("route add \(subnet)")
        }
        for address in ["198.51.100.1/32", "2001:db8:1::1/128"] {
          try TestProgram.ip("addr add \(address) dev lo")
        }
      }
      try lab.lab.ip("route add 198.51.100.1/32 via 192.0.2.2")
      try lab.lab.ip("route add 2001:db8:1::1/128 via 2001:db8::2")
      _ = try lab.map(pod, .mapping(53, server.port, "udp"))
      let tally = GateTally()
      for (address, own, ear) in [
        ("198.51.100.1", "192.0.2.1", server), ("2001:db8:1::1", "2001:db8::1", server6),
      ] {
        // A resolver elsewhere, on the same port; nobody is there to answer, so the pod must not.
        for speaker in [client.pod.namespace.path, pod.pod.namespace.path] {
          let pod = speaker == client.pod.namespace.path ? client.pod : pod.pod
          tally.point(
            try ear.stray(of: pod.namespace, speakingTo: address, port: 53) == nil,
            "\(address) was hijacked")
        }
        tally.point(
          try ear.stray(of: lab.lab.host, speakingTo: address, port: 53) == nil,
          "\(address) was hijacked from the host")
        if ear === server {
          // The port itself works.
          #expect(try ear.source(of: lab.outside, speakingTo: own, port: 53) != nil)
        }
      }
      try GateReport.tell(
        "names asked of resolvers elsewhere while a pod has the host's port 53", [.hijacks],
        ours: tally.figures)
    }

    @Test("of the host's loopback address alone is not to be had from outside (S05, S10)")
    func loopbackMapping() throws {
      let lab = try PortMapLab()
      let pod = try lab.attach("one")
      let server = try Listener(.udp, in: pod.pod.namespace, at: pod.addresses[0])
      _ = try lab.map(pod, .mapping(8080, server.port, "udp", on: "127.0.0.1"))
      #expect(try server.source(of: lab.lab.host, speakingTo: "127.0.0.1", port: 8080) != nil)
      #expect(try server.stray(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == nil)
      // A neighbour sends to 127.0.0.1 over the wire.
      try lab.outside.run {
        try Sysctl.write(["net", "ipv4", "conf", "eth0", "route_localnet"], "1")
        try TestProgram.ip("addr del 127.0.0.1/8 dev lo")
        try TestProgram.ip("route add 127.0.0.1/32 via 192.0.2.1")
      }
      #expect(try server.stray(of: lab.outside, speakingTo: "127.0.0.1", port: 8080) == nil)
      try lab.lab.host.run { try TestProgram.nft("flush chain inet swift_cni portmap_prerouting") }
      try lab.lab.host.run {
        try TestProgram.nft(
          "add rule inet swift_cni portmap_prerouting fib daddr type local jump portmap")
      }
      #expect(try server.source(of: lab.outside, speakingTo: "127.0.0.1", port: 8080) != nil)
    }

    @Test("of one address of the host is that address's alone (S10, CVE-2021-4024)")
    func oneAddress() throws {
      let lab = try PortMapLab()
      try lab.lab.ip("addr add 192.0.2.5/24 dev out")
      let pod = try lab.attach("one")
      let other = try lab.attach("two")
      let server = try Listener(.tcp, in: pod.pod.namespace, at: pod.addresses[0])
      let second = try Listener(.tcp, in: other.pod.namespace, at: other.addresses[0])
      _ = try lab.map(pod, .mapping(8080, server.port, on: "192.0.2.5"))
      #expect(
        try server.source(of: lab.outside, speakingTo: "192.0.2.5", port: 8080) == "192.0.2.2")
      #expect(try server.stray(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == nil)
      // Whoever has the port of all addresses does not have it of this one.
      _ = try lab.map(other, .mapping(8080, second.port))
      #expect(
        try server.source(of: lab.outside, speakingTo: "192.0.2.5", port: 8080) == "192.0.2.2")
      #expect(
        try second.source(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == "192.0.2.2")
    }
  }
}
