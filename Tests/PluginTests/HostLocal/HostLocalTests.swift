import Addressing
import CNI
import IPAM
import JSON
import Linux
import TestSupport
import Testing

@Suite("host-local")
struct HostLocalTests {
  @Test("leases one address of each range set, with gateway, routes and resolver settings")
  func result() throws {
    let host = try HostLocalFixture()
    let resolver = try host.write(
      "resolv.conf",
      """
      # a comment
      ; another
      nameserver 192.0.2.3
      nameserver
        domain example.com
      search a.example b.example
      search c.example
      options ndots:3 timeout:1

      """)
    let call = host.call(
      ipam: """
        , "ranges": [[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9"}],
                     [{"subnet": "2001:db8:1::/64", "gateway": "2001:db8:1::ffff"}]],
          "routes": [{"dst": "0.0.0.0/0"},
                     {"dst": "192.168.0.0/16", "gw": "10.1.2.7", "mtu": 1400, "priority": 0}],
          "resolvConf": "\(resolver)"
        """)
    let result = try host.add(call).result()
    #expect(result.interfaces == [])
    #expect(result.addresses.map(\.address.description) == ["10.1.2.9/24", "2001:db8:1::1/64"])
    #expect(
      result.addresses.map(\.gateway?.description) == ["10.1.2.1", "2001:db8:1::ffff"])
    #expect(result.routes.map(\.destination.description) == ["0.0.0.0/0", "192.168.0.0/16"])
    #expect(result.routes.last?.mtu == 1400)
    #expect(result.routes.last?.priority == 0)
    #expect(
      result.dns
        == DNSSettings(
          nameservers: ["192.0.2.3"], domain: "example.com",
          search: ["a.example", "b.example", "c.example"], options: ["ndots:3", "timeout:1"]))
    #expect(
      try host.leases() == ["10.1.2.9": "pod-1\r\neth0", "2001:db8:1::1": "pod-1\r\neth0"])
  }

  @Test("says nothing on standard error, also at first use")
  func silence() throws {
    let host = try HostLocalFixture()
    #expect(host.add(host.call(ipam: smallRange)).log == "")
    #expect(host.delete(host.call(ipam: smallRange)).log == "")
  }

  @Test("reads the single range of old configurations, and capital letters as upstream does")
  func oldForms() throws {
    var host = try HostLocalFixture()
    host.version = "0.2.0"
    let call = host.call(
      ipam: """
        , "Subnet": "10.1.2.0/24", "RANGESTART": "10.1.2.50", "rangeEnd": "10.1.2.60",
          "gateway": "10.1.2.254"
        """)
    let outcome = host.add(call)
    #expect(try outcome.document()["ip4"]?.objectValue?["ip"]?.textValue == "10.1.2.50/24")
    #expect(try outcome.document()["ip4"]?.objectValue?["gateway"]?.textValue == "10.1.2.254")
  }

  @Test("counts the runtime's ranges first, then the single range, then the list")
  func order() throws {
    let host = try HostLocalFixture()
    let call = host.call(
      ipam: #", "subnet": "10.2.0.0/24", "ranges": [[{"subnet": "10.3.0.0/24"}]]"#,
      beside: #", "runtimeConfig": {"ipRanges": [[{"subnet": "10.1.0.0/24"}]]}"#)
    #expect(try host.addresses(call) == ["10.1.0.2/24", "10.2.0.2/24", "10.3.0.2/24"])
    #expect(
      try File.read(host.store + "/last_reserved_ip.1", limit: 64) == Array("10.2.0.2".utf8))
  }

  @Test("has room for one address of a family only from 0.3.0 on")
  func oldVersions() throws {
    var host = try HostLocalFixture()
    host.version = "0.2.0"
    let call = host.call(
      ipam: #", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]"#)
    let error = host.add(call).error
    #expect(error?.code == .invalidConfiguration)
    #expect(
      error?.message == "CNI version 0.2.0 does not support more than 1 address per family")
    #expect(try host.leases() == [:])
  }

  @Test("refuses a second ADD, whatever it asks for, and changes nothing")
  func second() throws {
    let host = try HostLocalFixture()
    #expect(try host.addresses(host.call(ipam: smallRange)) == ["10.1.2.2/29"])
    for arguments in [nil, "IP=10.1.2.5"] {
      let error = host.add(host.call(ipam: smallRange, arguments: arguments)).error
      #expect(
        error?.message
          == "failed to allocate for range 0: 10.1.2.2 has been allocated to pod-1, "
          + "duplicate allocation is not allowed")
    }
    #expect(try host.leases().count == 1)
  }

  @Test("says when nothing is left, and serves again when something is")
  func exhaustion() throws {
    let host = try HostLocalFixture()
    for number in 1...5 {
      _ = try host.addresses(host.call("pod-\(number)", ipam: smallRange))
    }
    let error = host.add(host.call("pod-6", ipam: smallRange)).error
    #expect(error?.code == .tryAgainLater)
    #expect(
      error?.message
        == "failed to allocate for range 0: no IP addresses available in range set: "
        + "10.1.2.1-10.1.2.6")
    #expect(error?.details.contains(host.store) == true)
    try host.delete(host.call("pod-3", ipam: smallRange)).succeed()
    #expect(try host.addresses(host.call("pod-6", ipam: smallRange)) == ["10.1.2.4/29"])
  }

  @Test(
    "DEL works with whatever has become of the ranges, and twice",
    arguments: [
      "", #", "ranges": []"#, #", "ranges": [[{"subnet": "bogus"}]]"#, #", "ranges": "none""#,
      #", "ranges": [[{"subnet": "10.9.0.0/24"}]]"#, #", "subnet": 7, "routes": false"#,
      #", "resolvConf": "/nowhere""#,
    ])
  func deleteWithoutRanges(_ ipam: String) throws {
    let host = try HostLocalFixture()
    _ = try host.addresses(host.call("pod-1", ipam: smallRange))
    _ = try host.addresses(host.call("pod-2", ipam: smallRange))
    var call = host.call("pod-1", ipam: ipam, arguments: "BROKEN;;=")
    call.namespace = nil
    try host.delete(call).succeed()
    try host.delete(call).succeed()
    #expect(try host.leases() == ["10.1.2.3": "pod-2\r\neth0"])
  }

  @Test("DEL of a network that never was makes nothing")
  func deleteNothing() throws {
    let host = try HostLocalFixture()
    try host.delete(host.call(ipam: smallRange)).succeed()
    #expect(try File.status(of: host.path("networks")) == nil)
  }

  @Test("DEL frees what old plugins have leased to the container alone")
  func deleteOld() throws {
    let host = try HostLocalFixture()
    try host.write("networks/net/10.1.2.4", "pod-1")
    try host.write("networks/net/10.1.2.5", "pod-10")
    try host.delete(host.call(ipam: smallRange)).succeed()
    #expect(try host.leases() == ["10.1.2.5": "pod-10"])
  }

  @Test("DEL says so when it could not release")
  func deleteFails() throws {
    let host = try HostLocalFixture()
    _ = try host.addresses(host.call(ipam: smallRange))
    try host.write("networks/net/lock.away", "")
    try File.remove(host.store + "/lock")
    try Directory.create(host.store + "/lock")
    let outcome = host.delete(host.call(ipam: smallRange))
    #expect(outcome.error?.code == .ioFailure)
    #expect(try host.leases().count == 1)
    try Directory.remove(host.store + "/lock")
    try host.delete(host.call(ipam: smallRange)).succeed()
    #expect(try host.leases() == [:])
  }

  @Test("CHECK finds the lease, misses it when it is gone, and notices another address")
  func check() throws {
    let host = try HostLocalFixture()
    #expect(host.check(host.call(ipam: smallRange)).error?.message.contains("host-local") == true)
    _ = try host.addresses(host.call(ipam: smallRange))
    try host.check(host.call(ipam: smallRange)).succeed()
    let told = { (address: String) in
      host.call(
        ipam: smallRange,
        beside: #", "prevResult": {"cniVersion": "1.1.0", "ips": [{"address": "\#(address)"}]}"#)
    }
    try host.check(told("10.1.2.2/29")).succeed()
    // An address of another range is another plugin's.
    try host.check(told("192.0.2.1/24")).succeed()
    #expect(host.check(told("10.1.2.3/29")).exitCode == 1)
    try File.remove(host.store + "/10.1.2.2")
    #expect(
      host.check(host.call(ipam: smallRange)).error?.message.hasPrefix(
        "host-local: Failed to find address added by container ID") == true)
  }

  @Test("ADD takes what was leased before the last boot, unless that is not wished")
  func earlierBoot() throws {
    let host = try HostLocalFixture()
    let set = try RangeSet([AddressRange(subnet: Subnet("10.1.2.0/29"))])
    var settings = LeaseStoreSettings()
    settings.boot = BootStamp(machine: try BootID.machine(), boot: "an earlier one")
    do {
      var store = try DirectoryLeaseStore.creating(host.store, settings: settings)
      let owner = try #require(LeaseOwner(container: "old", interface: "eth0"))
      _ = try AddressAllocator(sets: [set]).allocate(for: owner, in: &store)
    }
    let keeping = smallRange + #", "reclaimOnBoot": false"#
    #expect(try host.addresses(host.call("new", ipam: keeping)) == ["10.1.2.3/29"])
    #expect(try host.leases().count == 2)
    try host.delete(host.call("stranger", ipam: smallRange)).succeed()
    #expect(try host.leases().count == 2)
    #expect(try host.addresses(host.call("newer", ipam: smallRange)) == ["10.1.2.4/29"])
    #expect(try host.leases()["10.1.2.2"] == nil)
  }

  @Test("says which configuration is missing")
  func missing() throws {
    let host = try HostLocalFixture()
    let call = PluginCall(
      "host-local", #"{"cniVersion": "1.0.0", "name": "net", "type": "bridge"}"#,
      namespace: "/run/netns/none")
    #expect(host.add(call).error?.message == "IPAM config missing 'ipam' key")
    #expect(host.add(host.call(ipam: "")).error?.message == "no IP ranges specified")
    let relative = PluginCall(
      "host-local",
      """
      {"cniVersion": "1.0.0", "name": "net", "type": "x",
       "ipam": {"type": "host-local", "dataDir": "networks", "subnet": "10.1.0.0/24"}}
      """, namespace: "/run/netns/none")
    #expect(host.add(relative).error?.message.contains("ipam.dataDir") == true)
  }

  @Test("an unreadable resolver file is an error, and nothing is leased")
  func resolver() throws {
    let host = try HostLocalFixture()
    let call = host.call(ipam: smallRange + #", "resolvConf": "/nowhere/resolv.conf""#)
    #expect(host.add(call).error?.message.hasPrefix("ipam.resolvConf: open /nowhere") == true)
    #expect(try host.leases() == [:])
  }
}
