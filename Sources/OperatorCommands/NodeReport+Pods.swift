internal import Addressing

extension NodeReport {
  /// A container with all its interfaces.
  struct Pod: Equatable {
    var container: String
    /// Namespace and name, if the runtime has told them.
    var pod: String?
    var namespacePath: String?
    /// Each with the network it is on.
    var attachments: [(network: String, attachment: Attachment)]

    /// What to call it.
    var name: String { pod ?? container }

    /// Its addresses, without their prefixes.
    var addresses: [IPAddress] { attachments.flatMap { $0.attachment.plainAddresses } }

    static func == (left: Pod, right: Pod) -> Bool {
      left.container == right.container && left.namespacePath == right.namespacePath
    }
  }

  /// The containers of the node.
  var pods: [Pod] {
    var pods: [Pod] = []
    for network in networks {
      for attachment in network.attachments {
        let place =
          pods.firstIndex { $0.container == attachment.container }
          ?? {
            pods.append(Pod(container: attachment.container, attachments: []))
            return pods.count - 1
          }()
        pods[place].pod = pods[place].pod ?? attachment.pod
        if attachment.namespaceState != .gone {
          pods[place].namespacePath = pods[place].namespacePath ?? attachment.namespacePath
        }
        pods[place].attachments.append((network.name, attachment))
      }
    }
    return pods
  }

  /// The pod that a person means: by namespace and name, by an address, or by the beginning of its
  /// container's ID.
  ///
  /// - Returns: nil if there is none.
  /// - Throws: ``OperatorFailure`` if there are several.
  func pod(called text: String) throws -> Pod? {
    let pods = pods
    if let exact = pods.first(where: { $0.pod == text || $0.container == text }) { return exact }
    if let address = IPAddress.orNil(text) { return pods.first { $0.addresses.contains(address) } }
    let found = pods.filter { !text.isEmpty && $0.container.hasPrefix(text) }
    guard found.count < 2 else {
      let names = found.map { "\($0.container) (\($0.name))" }.joined(separator: ", ")
      throw OperatorFailure("several containers begin with \(text): \(names)")
    }
    return found.first
  }
}

extension NodeReport.Attachment {
  /// Its addresses, without their prefixes.
  var plainAddresses: [IPAddress] {
    addresses.compactMap { IPAddress.orNil(String($0.prefix { $0 != "/" })) }
  }
}

extension IPAddress {
  /// The address that a text is; nil if it is none.
  static func orNil(_ text: String) -> IPAddress? {
    do throws(AddressParseError) {
      return try IPAddress(text)
    } catch {
      return nil
    }
  }
}
