import Addressing
import CNI
import JSON
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// What an interface and its namespace were like before they were changed.
struct TunedState: Sendable {
  /// The interface's settings, those that were changed.
  var link: LinkSettings
  /// Settings of the kernel by the parts of their names.
  var settings: [(name: [String], text: String)]
  /// The MTU of the other end of the pair, if that was changed.
  var peerMTU: MTU?
  /// Which namespace it was; nil when nobody has written it down, as upstream never does.
  var namespace: String?

  /// Whether it was read in this container's namespace, as far as that was written down.
  func isOf(_ worlds: borrowing HostAndContainer) throws(ProtocolError) -> Bool {
    guard let namespace else { return true }
    return try Self.namespace(of: worlds) == namespace
  }

  /// Which namespace the container's is, as a text.
  private static func namespace(of worlds: borrowing HostAndContainer) throws(ProtocolError)
    -> String
  {
    do {
      return try worlds.namespace.identity().text
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Reads all that a configuration is about to change.
  ///
  /// - Throws: `ProtocolError` when the interface or a setting is not there.
  init(
    before configuration: TuningConfiguration, of interface: InterfaceName,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    namespace = try Self.namespace(of: worlds)
    link = LinkSettings()
    if !configuration.link.isEmpty {
      link = try configuration.link.current(of: try Self.link(interface, in: worlds))
    }
    if let mtu = configuration.peerMTU {
      let end = try PeerSize.end(of: interface, for: mtu, in: worlds)
      do {
        peerMTU = try MTU(end.mtu)
      } catch {
        throw ProtocolError(error, key: "the mtu that \(end.name) has")
      }
    }
    do {
      settings = try worlds.namespace.run { () throws(ProtocolError) in
        var found: [(name: [String], text: String)] = []
        for (setting, _) in configuration.settings {
          if let text = try setting.value() { found.append((setting.name, text)) }
        }
        return found
      }
    } catch {
      throw ProtocolError(error)
    }
  }

  init(
    link: LinkSettings, settings: [(name: [String], text: String)], peerMTU: MTU?,
    namespace: String?
  ) {
    self.link = link
    self.settings = settings
    self.peerMTU = peerMTU
    self.namespace = namespace
  }

  /// The container's interface.
  static func link(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    do {
      return try worlds.container.link(named: interface)
    } catch {
      throw ProtocolError(error, "failed to get \"\(interface)\"")
    }
  }

  /// The same with what an earlier state says winning: a second tuning of one attachment must not
  /// take what the first has made for what was there before.
  func after(_ earlier: TunedState?) -> TunedState {
    guard let earlier else { return self }
    let known = Set(earlier.settings.map(\.name))
    return TunedState(
      link: earlier.link.over(link),
      settings: earlier.settings + settings.filter { !known.contains($0.name) },
      peerMTU: earlier.peerMTU ?? peerMTU, namespace: namespace)
  }

  /// Of the kernel's settings those of the interface alone.
  ///
  /// Others belong to the whole namespace, and what else is in there may have come to rely on them.
  func settings(of interface: InterfaceName) -> [(name: [String], text: String)] {
    settings.filter { $0.name.dropFirst().contains(interface.text) }
  }
}

// MARK: - The way back

extension TunedState {
  /// Gives the interface back what it had.
  ///
  /// - Returns: what could not be given back, in words.
  /// - Throws: `ProtocolError` when it cannot be told whether it was.
  func restoreLink(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> [String] {
    let steps = link.steps(for: interface)
    guard !steps.isEmpty else { return [] }
    let answers: [NetlinkAnswer]
    do {
      answers = try worlds.container.batch(steps.map(\.message))
    } catch {
      throw ProtocolError(error, "failed to restore \"\(interface)\"")
    }
    var refused: [String] = []
    for (step, answer) in zip(steps, answers) {
      guard case .failure(let error) = answer, !error.isNotFound else { continue }
      let told = ProtocolError(error, "failed to restore \(step.key) \(step.value)")
      // What can succeed later is worth another DEL; what the kernel refuses for good is not.
      if told.code == .tryAgainLater { throw told }
      refused.append(told.message)
    }
    return refused
  }

  /// Writes settings of the kernel back.
  ///
  /// - Returns: what could not be written back, in words; a setting that has gone is no matter.
  /// - Throws: `ProtocolError` when there is no way into the namespace.
  static func restore(
    _ settings: [(name: [String], text: String)], in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> [String] {
    guard !settings.isEmpty else { return [] }
    do {
      return try worlds.namespace.run { () throws(SystemError) in
        var refused: [String] = []
        for (name, text) in settings.reversed() {
          do throws(SystemError) {
            try Sysctl.writeIfDifferent(name, text)
          } catch  where error.errno != .noEntry {
            refused.append("failed to restore \(name.joined(separator: ".")): \(error)")
          } catch {
            // Gone together with its interface.
          }
        }
        return refused
      }
    } catch {
      throw ProtocolError(error)
    }
  }
}

// MARK: - The side file

extension TunedState {
  /// What upstream's form has no room for.
  var sideDocument: JSONObject {
    var document = JSONObject()
    document["namespace"] = namespace.map { .string($0) }
    document["peerMTU"] = peerMTU.map { .integer($0.bytes) }
    document["sysctl"] = .object(
      JSONObject(
        members: settings.map { JSONMember($0.name.joined(separator: "/"), .string($0.text)) }))
    return document
  }

  /// The MTU of the other end in a side file; one that cannot be says nothing.
  static func peerMTU(in side: JSONObject) -> MTU? {
    side["peerMTU"]?.integerValue.flatMap { bytes in
      do { return try MTU(bytes) } catch { return nil }
    }
  }

  /// The settings of a side file; a member that makes no sense says nothing.
  static func settings(in side: JSONObject) -> [(name: [String], text: String)] {
    (side["sysctl"]?.objectValue?.members ?? []).compactMap { member in
      let name = member.key.split(separator: "/").map(String.init)
      guard name.count > 1, name[0] == "net", let text = member.value.textValue else { return nil }
      return (name, text)
    }
  }
}

extension FileIdentity {
  /// Both numbers, for a file.
  var text: String { "\(device):\(inode)" }
}

extension NetworkSetting {
  /// The setting's text in the thread's namespace; nil where the kernel does not show it.
  ///
  /// - Throws: `ProtocolError` when there is no such setting.
  func value() throws(ProtocolError) -> String? {
    do throws(SystemError) {
      return try Sysctl.read(name)
    } catch {
      switch error.errno {
      case .accessDenied, .inputOutput: return nil
      case .noEntry, .notDirectory:
        throw ProtocolError(
          .invalidConfiguration, "sysctl \(key): there is no \(path) in the container",
          details:
            "dots in the name of an interface are written as slashes, or slashes are written "
            + "between the parts instead of dots")
      default: throw ProtocolError(error)
      }
    }
  }
}
