internal import Addressing
public import CNI
internal import Firewalld
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing

/// Lets the packets of pods through, and keeps bridges apart.
///
/// What it lets through are the addresses of the previous result, which it passes on. It does so in
/// our own table, and besides in the packet filter that `backend` names. An attachment's entry in our
/// table says which one that is, so CHECK, DEL and GC do the right thing whatever is configured by
/// then; pods that upstream's plugin let through have no entry, and are looked for where it puts them.
public enum Firewall: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "firewall"

  /// Results before 0.4.0 cannot be passed on by a chained plugin that has a CHECK.
  public static let supportedVersions = SpecVersion.all.filter { $0 >= .v0_4_0 }

  /// Lets an attachment's packets through.
  ///
  /// Takes it back if a step fails, but for what keeps a bridge apart.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try FirewallConfiguration(request)
    let result = try previousResult(request)
    let attachment = try request.attachment
    let entry = PodEntry(result.distinctAddresses, settings)
    let policy = try BridgePolicy(settings.ingress, result)
    try policy?.checkIsBridge()
    try settings.limits.egress?.checkHolds(for: result, settings.ingress)

    try forgetPredecessors(of: attachment, entry.addresses, request)
    var rollback = Rollback()
    // Only iptables keeps bridges apart without our table.
    let needsTable = policy != nil && settings.backend != .iptables
    try unlessMissing(settings.backend, needsTable) { () throws(ProtocolError) in
      try policy?.enforce(for: attachment.network, admin: settings.adminChain)
      try PacketFilter.add("failed to let \(attachment) through") { socket throws(NetlinkError) in
        try PodFilter.add(entry, settings, of: attachment, on: socket)
      }
      rollback.undo {
        try forget(OwnerTag(attachment), entry, request, in: PacketFilterSession())
      }
    }
    switch settings.backend {
    case .nftables: break
    case .iptables: try IptablesFilter.add(entry.addresses, policy, admin: settings.adminChain)
    case .firewalld(let zone): try FirewalldFilter.add(entry.addresses, to: zone, request)
    }
    rollback.commit()
    return result
  }

  /// Stops letting an attachment's packets through; what is gone already is as good as removed.
  ///
  /// Needs neither the namespace nor a previous result, but for pods that upstream's plugin let
  /// through: of them nothing else tells the addresses. What keeps a bridge apart stays.
  ///
  /// - Throws: `ProtocolError` if something may still be there.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let owner = OwnerTag(try request.attachment)
    let session = PacketFilterSession()
    if let entry = try entry(of: owner, in: session) {
      try forget(owner, entry, request, in: session)
    } else {
      try removeLeftovers(request, in: session)
    }
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try FirewallConfiguration(request)
    let result = try previousResult(request)
    let addresses = result.distinctAddresses
    let owner = OwnerTag(try request.attachment)
    try settings.limits.egress?.checkHolds(for: result, settings.ingress)
    let found = try entry(of: owner, in: PacketFilterSession())
    var missing: String?
    if found != nil {
      missing = try PacketFilter.add("failed to look at \(Table.ours)") {
        socket throws(NetlinkError) in
        try PodFilter.whatIsMissing(
          for: owner, PodEntry(addresses, settings), settings, on: socket)
      }
      if missing == nil {
        missing = try BridgePolicy(settings.ingress, result)?.whatIsMissing()
      }
    }
    if missing == nil {
      switch found?.backend {
      case .nftables: break
      case .iptables:
        missing = try IptablesFilter.whatIsMissing(for: addresses, admin: settings.adminChain)
      case .firewalld(let zone):
        missing = try FirewalldFilter.whatIsMissing(for: addresses, in: zone, request)
      case nil:
        missing = try whatUpstreamLacks(addresses, settings, request)
      }
    }
    guard let missing else { return }
    throw ProtocolError(
      .internalFailure, missing, details: "something has changed the rules; ADD makes them anew")
  }

  /// Lets the attachment's packets through again, by the way that the ADD takes; sources that a reload
  /// of firewalld has forgotten too.
  ///
  /// - Throws: `ProtocolError`.
  public static func repair(_ request: Request) throws(ProtocolError) { _ = try add(request) }

  /// Stops letting through what belongs to attachments of this network that are no more.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let network = request.configuration.name
    let half = OwnerTag.network(network)
    let kept = Set(valid.map { OwnerTag(network: network, $0) })
    var gone: [OwnerTag: PodEntry] = [:]
    let session = PacketFilterSession()
    try PacketFilter.remove("failed to list \(Table.ours)", in: session) {
      socket throws(NetlinkError) in
      let all = try FirewallLayout.owners.all(on: socket)
      gone = all.filter { $0.key.network == half && !kept.contains($0.key) }
        .mapValues(PodEntry.init(words:))
    }
    var failures = Failures()
    for (owner, entry) in gone {
      failures.attempt("failed to forget what is gone") { () throws(ProtocolError) in
        try forget(owner, entry, request, in: session)
      }
    }
    failures.attempt("failed to forget egress policies without pods") {
      () throws(ProtocolError) in
      try PacketFilter.remove("failed to list \(Table.ours)", in: session) {
        socket throws(NetlinkError) in
        try EgressTable.collectGarbage(on: socket)
      }
    }
    failures.attempt("failed to forget bridges that are gone") { () throws(ProtocolError) in
      try BridgePolicy.collectGarbage(of: network)
    }
    failures.attempt("failed to remove rules of bridges that are gone") {
      () throws(ProtocolError) in
      try IptablesFilter.collectGarbage()
    }
    try failures.report()
  }
}

extension Firewall {
  private static func previousResult(_ request: Request) throws(ProtocolError) -> PluginResult {
    try request.resultBefore(
      orElse: "missing prevResult from earlier plugin",
      details: "firewall is chained: put it behind a plugin that makes an interface")
  }

  /// What our table says of an attachment; nil if it says nothing, or there is no such table.
  private static func entry(
    of owner: OwnerTag, in session: borrowing PacketFilterSession
  ) throws(ProtocolError) -> PodEntry? {
    var entry: PodEntry?
    try PacketFilter.remove("failed to look at table \(Table.ours)", in: session) {
      socket throws(NetlinkError) in
      entry = try PodFilter.entry(of: owner, on: socket)
    }
    return entry
  }

  /// Takes back all that an attachment has; its entry goes last, so that what fails can be retried.
  private static func forget(
    _ owner: OwnerTag, _ entry: PodEntry, _ request: Request,
    in session: borrowing PacketFilterSession
  ) throws(ProtocolError) {
    switch entry.backend {
    case .nftables: break
    case .iptables:
      try IptablesFilter.remove(notHeldByOthers(entry.addresses, owner, in: session))
    case .firewalld(let zone):
      try FirewalldFilter.remove(
        notHeldByOthers(entry.addresses, owner, in: session), from: zone, request)
    }
    try PacketFilter.remove("failed to forget what was let through", in: session) {
      socket throws(NetlinkError) in
      try PodFilter.remove(owner, on: socket)
    }
  }

  /// Forgets attachments of this network that had these addresses.
  ///
  /// Its IPAM plugin would not have given them out again, were those not gone.
  private static func forgetPredecessors(
    of attachment: Attachment, _ addresses: [IPAddress], _ request: Request
  ) throws(ProtocolError) {
    let owner = OwnerTag(attachment)
    let session = PacketFilterSession()
    for (_, other) in try holders(of: addresses, in: session)
    where other != owner && other.network == owner.network {
      guard let entry = try entry(of: other, in: session) else { continue }
      try forget(other, entry, request, in: session)
    }
  }

  /// Removes what upstream's plugin made for the addresses of the previous result.
  ///
  /// Addresses that somebody else has by now are left alone.
  private static func removeLeftovers(
    _ request: Request, in session: borrowing PacketFilterSession
  ) throws(ProtocolError) {
    let result: PluginResult?
    do {
      result = try request.previousResult()
    } catch {
      request.log("previous result passed over: \(error)")
      return
    }
    guard let result else { return }
    let addresses = try notHeldByOthers(
      result.distinctAddresses, OwnerTag(try request.attachment), in: session)
    guard !addresses.isEmpty else { return }
    var failures = Failures()
    failures.attempt("failed to remove what upstream left") { () throws(ProtocolError) in
      try IptablesFilter.remove(addresses)
    }
    failures.attempt("failed to remove what upstream left") { () throws(ProtocolError) in
      let zone: String
      do {
        zone = try FirewallConfiguration.zone(request.configuration.fields)
      } catch {
        // Nothing can have been put into a zone of this name.
        request.log("\(error)")
        return
      }
      try FirewalldFilter.removeLeftovers(addresses, from: zone, request)
    }
    try failures.report()
  }

  private static func notHeldByOthers(
    _ addresses: [IPAddress], _ owner: OwnerTag, in session: borrowing PacketFilterSession
  ) throws(ProtocolError) -> [IPAddress] {
    let holders = try holders(of: addresses, in: session)
    return addresses.filter { holders[$0] == nil || holders[$0] == owner }
  }

  private static func holders(
    of addresses: [IPAddress], in session: borrowing PacketFilterSession
  ) throws(ProtocolError) -> [IPAddress: OwnerTag] {
    var holders: [IPAddress: OwnerTag] = [:]
    try PacketFilter.remove("failed to look at table \(Table.ours)", in: session) {
      socket throws(NetlinkError) in
      holders = try PodFilter.holders(of: addresses, on: socket)
    }
    return holders
  }

  /// What is missing of what upstream's plugin makes, in whichever of its two backends.
  private static func whatUpstreamLacks(
    _ addresses: [IPAddress], _ settings: FirewallConfiguration, _ request: Request
  ) throws(ProtocolError) -> String? {
    let missing = try IptablesFilter.whatIsMissing(for: addresses, admin: settings.adminChain)
    guard let missing else { return nil }
    let zone = try FirewallConfiguration.zone(request.configuration.fields)
    guard try FirewalldFilter.isThere(zone, request) else { return missing }
    return try FirewalldFilter.whatIsMissing(for: addresses, in: zone, request)
  }

  /// Does without our own table where the kernel has none and another backend is named.
  private static func unlessMissing(
    _ backend: FirewallBackend, _ needsTable: Bool, _ work: () throws(ProtocolError) -> Void
  ) throws(ProtocolError) {
    if backend != .nftables, !needsTable {
      do {
        _ = try NetlinkSocket<NetfilterFamily>().generation()
      } catch  where error.missingFeature == .nftables {
        return
      } catch {
        throw ProtocolError(packetFilter: error, "failed to look for nf_tables")
      }
    }
    try work()
  }
}

extension PluginResult {
  /// All addresses that the result gives, each once, whichever interface has it.
  var distinctAddresses: [IPAddress] {
    var seen: Set<IPAddress> = []
    return addresses.map(\.address.address).filter { seen.insert($0).inserted }
  }
}
