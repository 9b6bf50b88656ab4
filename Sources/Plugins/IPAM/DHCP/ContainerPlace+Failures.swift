internal import Addressing
internal import CNI
internal import DHCPClient

// Why an interface has got no IPv6 address in time.

extension ContainerPlace {
  /// Nobody has said whether an address is free.
  func stillTentative(_ address: IPv6Address) -> ProtocolError {
    ProtocolError(
      .tryAgainLater, "\(address) is still tentative on \(interface)",
      details: "other hosts on its link keep asking for the address")
  }

  /// No router has announced what an address could be made of.
  ///
  /// - Parameters:
  ///   - view: what the kernel has.
  ///   - tentative: the address that others were asked about last.
  /// - Returns: what an operator is told.
  func nothingAnnounced(_ view: IPv6View?, _ tentative: IPAddress?) -> ProtocolError {
    if let failure = noLinkLocal(view) { return failure }
    if let tentative {
      return ProtocolError(
        .tryAgainLater,
        "\(interface) cannot use \(tentative), which it has made of a router's announcement",
        details: "another host on its link has this address")
    }
    guard view?.router != nil else {
      return ProtocolError(
        .tryAgainLater, "\(interface) has no IPv6 address: no router has announced itself",
        details: "ipam.ipv6 \"slaac\" needs a router that sends advertisements on its link")
    }
    return ProtocolError(
      .tryAgainLater,
      "\(interface) has no IPv6 address: its router has announced no prefix to make one of",
      details: "the prefix must be marked autonomous, or ipam.ipv6 must be \"dhcp\"; or else "
        + "another host on its link has the address made of it")
  }

  /// No server has given an address.
  ///
  /// - Parameters:
  ///   - view: what the kernel has.
  ///   - refusal: what the last server has said that did not.
  /// - Returns: what an operator is told.
  func nothingLeased(_ view: IPv6View?, _ refusal: DHCPv6Status?) -> ProtocolError {
    if let failure = noLinkLocal(view) { return failure }
    return ProtocolError(
      .tryAgainLater, "no DHCPv6 server has given \(interface) an address",
      details: refusal.map { "a server on its link says: \($0.sentence)" }
        ?? "none on its link has answered")
  }

  private func noLinkLocal(_ view: IPv6View?) -> ProtocolError? {
    guard let view, view.linkLocal?.standing != .usable else { return nil }
    return ProtocolError(
      .tryAgainLater, "\(interface) has no IPv6 address to ask from",
      details: view.linkLocal?.standing == .duplicate
        ? "another host on its link has the same link-local address, hence the same MAC address"
        : "its link carries no frames, or the kernel makes no link-local addresses")
  }
}

extension DHCPv6Status {
  /// What an operator is told.
  fileprivate var sentence: String {
    switch self {
    case .success: "it has no use for us"
    case .failure: "it cannot tell why (UnspecFail)"
    case .noAddresses: "no address is left (NoAddrsAvail)"
    case .noBinding: "it knows of no such lease (NoBinding)"
    case .notOnLink: "the address does not belong on this link (NotOnLink)"
    case .useMulticast: "it was asked in the wrong way (UseMulticast)"
    }
  }
}
