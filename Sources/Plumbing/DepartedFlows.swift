internal import Addressing
internal import CNI
internal import Conntrack
internal import Netlink
internal import Nftables

/// Connections of a container that is gone, which the kernel would go on to remember.
///
/// What the next owner of the address sends and gets must not pass for a part of them: it would leave
/// under the old one's translation, answers to the old one would reach the new one, and rules that
/// let through what is established would let through what began with another.
enum DepartedFlows {
  /// Forgets what the container of a DEL has begun or answered, by the addresses that its result says.
  ///
  /// To be called when the interface is gone. Nothing is asked where the kernel remembers nothing at
  /// all. Without a result host-local does it, which knows the addresses. What stands in its way is
  /// told to the operator: the interface is gone all the same.
  static func forget(of request: Request) { forget(addresses(of: request), request) }

  /// Forgets what attachments of a network have begun or answered that GC has just ended.
  ///
  /// - Parameters:
  ///   - addresses: theirs, as ``addresses(on:besides:)`` has found them before their rules went.
  ///   - request: the GC.
  static func forget(_ addresses: Set<IPAddress>, _ request: Request) {
    ConnectionMemory.forget(allOf: addresses, log: request.log)
  }

  /// The addresses of a network's attachments that are not valid, as far as our tables tell them;
  /// none that a valid one, or one of another network, has by now.
  static func addresses(
    on network: NetworkName, besides valid: Set<ValidAttachment>
  ) -> Set<IPAddress> {
    guard !ConnectionMemory.isEmpty else { return [] }
    let kept = Set(valid.map { OwnerTag(network: network, $0) })
    let half = OwnerTag.network(network)
    var departed: Set<IPAddress> = []
    var present: Set<IPAddress> = []
    do throws(NetlinkError) {
      for element in try OwnedElement.all(on: try NetlinkSocket<NetfilterFamily>()) {
        guard let address = element.key.flatMap({ IPAddress(bytes: $0.bytes) }) else { continue }
        if element.owner.network == half, !kept.contains(element.owner) {
          departed.insert(address)
        } else {
          present.insert(address)
        }
      }
    } catch {
      // Without a packet filter nothing is translated; what else is wrong with it, GC tells itself.
      return []
    }
    return departed.subtracting(present)
  }

  /// The addresses of the container; none where the result is missing, damaged or another's.
  private static func addresses(of request: Request) -> Set<IPAddress> {
    do throws(ProtocolError) {
      guard let result = try request.previousResult() else { return [] }
      let interface = try request.attachment.interface.text
      let isNamed = result.interfaces.contains { $0.name == interface && !$0.sandbox.isEmpty }
      return isNamed ? Set(result.addresses.map(\.address.address)) : []
    } catch {
      return []
    }
  }
}
