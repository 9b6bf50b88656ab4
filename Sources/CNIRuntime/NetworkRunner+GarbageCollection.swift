internal import Addressing
public import CNI
internal import JSON

extension NetworkRunner {
  /// Removes what is left of attachments that are no longer valid.
  ///
  /// Attachments that the cache remembers and that are not listed get a DEL with what is
  /// remembered of them, by the list as it is now. Then, from 1.1.0 on, each plugin is asked to
  /// remove what it finds besides. A failure stops nothing.
  ///
  /// - Parameters:
  ///   - list: the network; one that does not want GC is left alone.
  ///   - valid: the attachments to keep; plugins remove everything else of this network, also what
  ///     the cache knows nothing of.
  /// - Returns: the attachments that got a DEL.
  /// - Throws: ``ProtocolError`` that gathers all failures; its code is that of the first.
  @discardableResult
  public func collectGarbage(
    of list: NetworkList, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) -> [Attachment] {
    guard !list.disablesGarbageCollection else { return [] }
    var failures: [ProtocolError] = []
    var removed: [Attachment] = []
    let remembered = try cache.contents()
    failures += remembered.brokenFiles.map { ProtocolError($0.reason.code, "\($0)") }
    for cached in remembered.attachments
    where cached.network == list.name && !valid.contains(cached.attachment.withoutNetwork) {
      do throws(ProtocolError) {
        var arguments = cached.arguments
        arguments.namespacePath = cached.namespacePath
        try delete(arguments, from: list)
        removed.append(cached.attachment)
      } catch {
        failures.append(error)
      }
    }
    if list.version >= .v1_1_0 { failures += sweep(list, keeping: valid) }
    guard let first = failures.first else { return removed }
    throw ProtocolError(first.code, failures.map(\.description).joined(separator: "\n"))
  }

  /// Asks each plugin to remove what it finds.
  private func sweep(
    _ list: NetworkList, keeping valid: Set<ValidAttachment>
  ) -> [ProtocolError] {
    let entries = valid.map { ($0.container.text, $0.interface.text) }.sorted { $0 < $1 }
      .map { ["containerID": .string($0.0), "ifname": .string($0.1)] as JSONValue }
    var request = PluginRequest(list: list, command: .collectGarbage)
    // The second key is what early libraries of 1.1.0 sent; plugins of that time know no other.
    request.extraMembers = [
      JSONMember("cni.dev/valid-attachments", .array(entries)),
      JSONMember("cni.dev/attachments", .array(entries)),
    ]
    var failures: [ProtocolError] = []
    for plugin in list.plugins {
      do throws(ProtocolError) {
        try run(request, plugin, "gc")
      } catch {
        failures.append(error)
      }
    }
    return failures
  }
}
