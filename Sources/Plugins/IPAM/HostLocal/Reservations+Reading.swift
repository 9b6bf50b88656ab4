internal import Addressing
internal import CNI
internal import IPAM
internal import JSON

extension Reservations {
  /// Reads what is kept for whom: key `reservations`, an object of names and their addresses.
  ///
  ///     "reservations": {"shop/web": ["10.1.2.5", "fd00::5"], "backup": "10.1.2.6"}
  ///
  /// Addresses that are in no subnet of the ranges are another node's, unless they are this pod's.
  ///
  /// - Parameters:
  ///   - ipam: the configuration.
  ///   - pod: who asks; nobody if nil.
  ///   - sets: the ranges.
  /// - Throws: `ProtocolError`, code 7, that names the key.
  init(_ ipam: JSONFields, for pod: PodNames?, in sets: [RangeSet]) throws(ProtocolError) {
    let table = try ipam.read { fields throws(JSONFieldError) in try fields.nested("reservations") }
    guard let table else {
      self = .none
      return
    }
    var own: [IPAddress] = []
    var others: Set<IPAddress> = []
    var holders: [IPAddress: String] = [:]
    for member in table.object.members {
      let entry = JSONField(member.value, path: table.path(of: member.key))
      let isOwn = pod?.all.contains(member.key) ?? false
      var places: Set<Int> = []
      for (address, path) in try entry.addresses() {
        if let holder = holders.updateValue(member.key, forKey: address) {
          throw fault(path, "\(address) is reserved for \"\(holder)\" already")
        }
        guard let place = sets.firstIndex(where: { $0.range(around: address) != nil }) else {
          guard isOwn else { continue }
          throw fault(path, "\(address) is in no subnet of the ranges")
        }
        guard places.insert(place).inserted else {
          throw fault(path, "\(address) is the second address out of range set \(place)")
        }
        if let reason = sets[place].objection(to: address) { throw fault(path, reason) }
        if isOwn { own.append(address) } else { others.insert(address) }
      }
    }
    self.init(own: own, others: others)
  }
}

private func fault(_ path: String, _ reason: String) -> ProtocolError {
  ProtocolError(
    .invalidConfiguration, "\(path): \(reason)",
    details:
      "\"reservations\" has names of pods (\"namespace/name\") or IDs of containers, and for "
      + "each at most one host's address out of every range set")
}

extension JSONField {
  /// An address, or a list of them, each with its place.
  fileprivate func addresses() throws(ProtocolError) -> [(IPAddress, path: String)] {
    var fields = [self]
    if value.listValue != nil {
      do throws(JSONFieldError) { fields = try list() } catch { throw ProtocolError(error) }
    }
    return try fields.map { field throws(ProtocolError) in
      let text: String
      do throws(JSONFieldError) {
        text = try field.text()
      } catch {
        throw ProtocolError(error)
      }
      do throws(AddressParseError) {
        return (try IPAddress(text), path: field.path)
      } catch {
        throw ProtocolError(error, key: field.path)
      }
    }
  }
}

extension RangeSet {
  /// The range in whose subnet an address lies.
  fileprivate func range(around address: IPAddress) -> AddressRange? {
    ranges.first { $0.subnet.contains(address) }
  }

  /// Why no pod can have an address.
  fileprivate func objection(to address: IPAddress) -> String? {
    if isGateway(address) { return "\(address) is the subnet's gateway" }
    guard let subnet = range(around: address)?.subnet else { return nil }
    if address == subnet.first { return "\(address) is the address of the network itself" }
    if address == subnet.last, address.family == .v4 {
      return "\(address) is the broadcast address of \(subnet)"
    }
    return nil
  }
}
