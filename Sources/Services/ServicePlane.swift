public import Addressing

/// What the store asks of the kernel; a test may be one too.
public protocol ServicePlane {
  /// Whether the tables are there, as far as a quick look can tell.
  func isLaid() throws(ServiceTableError) -> Bool

  /// How the node stands among others now, and to which of some ranges it knows no way.
  func outlook(on ranges: [Subnet]) throws(ServiceTableError) -> NodeOutlook

  /// How everybody's rules and the node's own addresses are now, as a text that is another one when
  /// anything of that has changed; costs the same with any number of services.
  func situation() throws(ServiceTableError) -> String

  /// Makes ways for the host's own connections to ranges; that it cannot is no failure.
  func makeWays(to ranges: [Subnet])

  /// Makes the uplink have the addresses of balancers, and tells neighbours.
  ///
  /// - Returns: what stands in the way, a sentence each.
  func serve(_ addresses: BalancerAddresses) -> [String]

  /// Makes the settings hold; services stay.
  func install(_ settings: ServiceSettings) throws(ServiceTableError)

  /// Makes some frontends give way to others in one transaction; others may be left out.
  ///
  /// - Throws: ``ServiceTableError``; then nothing has changed, unless it is no refusal.
  func change(from old: [Frontend], to new: [Frontend]) throws(ServiceTableError)

  /// Makes the tables anew in one transaction.
  ///
  /// - Parameters:
  ///   - old: the frontends that were there, as far as they are known.
  ///   - new: those that are to be there, and no others.
  ///   - settings: what holds for all.
  /// - Throws: ``ServiceTableError``; then nothing has changed.
  func replace(
    _ old: [Frontend], with new: [Frontend], _ settings: ServiceSettings
  ) throws(ServiceTableError)

  /// What of some frontends is missing, a sentence each; it costs what these frontends cost.
  func faults(of frontends: [Frontend]) throws(ServiceTableError) -> [String]

  /// How the tables differ from what should be there, a sentence each; all of them are read.
  func differences(
    from frontends: [Frontend], _ settings: ServiceSettings
  ) throws(ServiceTableError) -> [String]
}
