internal import Addressing
public import CNI
internal import Plumbing

/// Leads ports of the host to ports of a container.
///
/// A chained plugin: the container's addresses are those of the previous result, which is passed on.
public enum PortMap: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "portmap"

  /// Makes the mappings that the runtime asks for; without any, nothing is touched.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`; it names the container that holds a port already.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try PortMapConfiguration(request)
    let attachment = try request.attachment
    let result = try request.resultBefore(
      orElse: "must be called as chained plugin",
      details: "put portmap behind the plugin that makes the interface")
    let forwards = try PortForward.all(
      settings.mappings, to: result.podAddresses(on: attachment.interface))
    guard !forwards.isEmpty else { return result }
    let loopback = settings.masquerades ? try LoopbackAccess(forwards) : nil
    var rollback = Rollback()

    switch settings.backend {
    case .nftables:
      let before = try NftablesMappings.add(forwards, settings, attachment, loopback)
      rollback.undo { try NftablesMappings.restore(before, attachment) }
    case .iptables:
      try NftablesMappings.guardLoopback(attachment, loopback, settings, request.log)
      rollback.undo { try NftablesMappings.restore([], attachment) }
      try IptablesMappings.add(forwards, settings, attachment)
      rollback.undo { try IptablesMappings.remove(of: attachment) }
    }
    try loopback?.enable()
    NftablesMappings.forgetOldFlows(before: forwards, request.log)

    rollback.commit()
    return result
  }

  /// Ends all mappings of the attachment, by whichever back end, and whoever made them.
  ///
  /// Needs no previous result and no mappings in the configuration.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let attachment = try request.attachment
    var failures = Failures()
    var gone: [PortForward] = []
    var isUpstreams = false
    failures.attempt("failed to end port mappings") { () throws(ProtocolError) in
      gone = try NftablesMappings.remove(of: attachment)
    }
    failures.attempt("failed to end port mappings of upstream") { () throws(ProtocolError) in
      isUpstreams = try UpstreamMappings.remove(of: attachment)
    }
    if isUpstreams { gone += Self.forwards(askedFor: request) }
    StaleFlows.forgetWays(of: gone, request.log)
    try failures.report()
  }

  /// Looks whether all mappings are there, whoever made them, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try PortMapConfiguration(request)
    let attachment = try request.attachment
    let result = try PreviousResult(request).result
    let forwards = try PortForward.all(
      settings.mappings, to: result.podAddresses(on: attachment.interface))
    guard !forwards.isEmpty else { return }
    let loopback = settings.masquerades ? try LoopbackAccess(forwards) : nil
    var isFound = false
    if settings.backend == .nftables {
      isFound = try NftablesMappings.check(forwards, settings, attachment)
      if !isFound { isFound = try UpstreamMappings.check(forwards, attachment) }
    }
    if !isFound { try IptablesMappings.check(forwards, settings, attachment) }
    try loopback?.check()
  }

  /// Makes the mappings that are missing, by the way that the ADD takes.
  ///
  /// - Throws: `ProtocolError`; it names the container that holds a port by now.
  public static func repair(_ request: Request) throws(ProtocolError) { _ = try add(request) }

  /// Ends the mappings of all attachments of this network that are no more.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let network = request.configuration.name
    var failures = Failures()
    var gone: [PortForward] = []
    failures.attempt("failed to end port mappings") { () throws(ProtocolError) in
      gone = try NftablesMappings.collectGarbage(network, keeping: valid)
    }
    failures.attempt("failed to end port mappings of upstream") { () throws(ProtocolError) in
      try UpstreamMappings.collectGarbage(network, keeping: valid)
    }
    StaleFlows.forgetWays(of: gone, request.log)
    try failures.report()
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what is missing.
  public static func status(_ request: Request) throws(ProtocolError) {
    let settings = try PortMapConfiguration(request)
    switch settings.backend {
    case .nftables:
      _ = try PortMapGroup(settings)
      try NftablesMappings.checkPossible()
    case .iptables: try IptablesMappings.checkPossible()
    }
  }

  /// The mappings that a DEL repeats, as far as it does; what cannot be read says nothing.
  private static func forwards(askedFor request: Request) -> [PortForward] {
    do throws(ProtocolError) {
      let mappings = try request.configuration.runtimeConfig.portMappings
      let pod = try request.previousResult()?.podAddresses(on: request.attachment.interface) ?? []
      return try PortForward.all(mappings, to: pod)
    } catch {
      request.log("flows of upstream's mappings are left alone: \(error)")
      return []
    }
  }
}
