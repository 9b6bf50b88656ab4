internal import Addressing
public import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Changes settings of a container's interface and of its network.
///
/// What the interface was like before is kept in a file from before the first change, and given back
/// by DEL.
public enum Tuning: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "tuning"

  /// Changes what the configuration asks for.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let attachment = try request.attachment
    let configuration = try TuningConfiguration(request, interface: attachment.interface)
    var result = try previousResult(request)
    try AllowList.read()?.admit(configuration.settings.map(\.setting))
    let backup = BackupFile(attachment, in: try BackupFile.directory(request))
    let worlds = try HostAndContainer(for: request)
    var rollback = Rollback()

    if !configuration.isEmpty {
      let before = try TunedState(before: configuration, of: attachment.interface, in: worlds)
      let picture = try backup.picture()
      rollback.undo { try backup.restore(picture) }
      try backup.write(before.after(try backup.read(request.log)))
      rollback.undo {
        let refused =
          try before.restoreLink(attachment.interface, in: worlds)
          + before.restorePeer(of: attachment.interface, in: worlds)
          + TunedState.restore(before.settings, in: worlds)
        for sentence in refused { request.log(sentence) }
      }
      try configuration.apply(to: attachment.interface, in: worlds)
    }

    try configuration.tell(attachment.interface, &result, in: worlds)
    rollback.commit()
    return result
  }

  /// Gives the interface back what it had before, whatever the configuration says by now.
  ///
  /// Needs neither the namespace nor a previous result. Settings of the whole namespace stay.
  ///
  /// - Throws: `ProtocolError` when it cannot be told what is to be given back, or whether it was.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let attachment = try request.attachment
    let backup = BackupFile(attachment, in: try BackupFile.directory(request))
    guard let before = try backup.read(request.log) else { return }
    if let worlds = try HostAndContainer.ifPresent(request.namespacePath),
      try before.isOf(worlds)
    {
      let refused =
        try before.restoreLink(attachment.interface, in: worlds)
        + before.restorePeer(of: attachment.interface, in: worlds)
        + TunedState.restore(before.settings(of: attachment.interface), in: worlds)
      for sentence in refused { request.log(sentence) }
    }
    try backup.remove()
  }

  /// Looks whether everything is still as the configuration asks, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first setting that is different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let interface = try request.attachment.interface
    let configuration = try TuningConfiguration(request, interface: interface)
    _ = try previousResult(request)
    try configuration.check(interface, in: try HostAndContainer(for: request))
  }

  /// Changes again what the configuration asks for; what was there before the ADD stays noted.
  ///
  /// - Throws: `ProtocolError` that names the key that the kernel refused.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let interface = try request.attachment.interface
    let configuration = try TuningConfiguration(request, interface: interface)
    try AllowList.read()?.admit(configuration.settings.map(\.setting))
    try configuration.apply(to: interface, in: try HostAndContainer(for: request))
  }

  /// Removes the files of attachments of this network that are no more.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let garbage = try BackupFile.garbage(
      of: request.configuration.name, keeping: valid, in: try BackupFile.directory(request))
    var failures = Failures()
    for file in garbage {
      failures.attempt("remove a left-over backup") { () throws(ProtocolError) in
        try file.remove()
      }
    }
    try failures.report()
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, when a setting is not allowed or the backup has no place.
  public static func status(_ request: Request) throws(ProtocolError) {
    let configuration = try TuningConfiguration(request, interface: .placeholder)
    let directory = try BackupFile.directory(request)
    do throws(ProtocolError) {
      try AllowList.read()?.admit(configuration.settings.map(\.setting))
    } catch {
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
    do throws(SystemError) {
      try Directory.proveWritable(directory)
    } catch {
      throw ProtocolError(
        .notReady, "what is to be restored cannot be saved: \(error)",
        details: "\"dataDir\" names the directory")
    }
  }

  private static func previousResult(_ request: Request) throws(ProtocolError) -> PluginResult {
    try request.resultBefore(orElse: "Required prevResult missing")
  }
}
