internal import Addressing
internal import CNI

extension CommandArguments {
  /// The addresses and gateways that `CNI_ARGS` asks for.
  struct Addresses {
    /// `IP`: addresses with their prefix length, parted by commas.
    let addresses: [InterfaceAddress]
    /// `GATEWAY`: addresses of routers, parted by commas.
    let gateways: [IPAddress]

    /// Reads the two keys.
    ///
    /// - Throws: ``ProtocolError`` of code 4.
    init(_ request: Request) throws(ProtocolError) {
      let arguments = try request.commandArguments(known: ["IP", "GATEWAY"])
      addresses = try Self.words(arguments["IP"]).map { word throws(ProtocolError) in
        guard let address = InterfaceAddress(orNil: word) else {
          throw ProtocolError(
            .invalidEnvironment,
            "the 'ip' field is expected to be in CIDR notation, got: '\(word)'",
            details: "CNI_ARGS: IP=address/length[,address/length]")
        }
        return address
      }
      gateways = try Self.words(arguments["GATEWAY"]).map { word throws(ProtocolError) in
        do throws(AddressParseError) {
          return try IPAddress(String(word))
        } catch {
          throw ProtocolError(
            .invalidEnvironment, "invalid gateway address: \(word)", details: error.reason)
        }
      }
    }

    private static func words(_ list: String?) -> [Substring] {
      guard let list, !list.isEmpty else { return [] }
      return list.split(separator: ",", omittingEmptySubsequences: false)
    }

    /// The configured addresses and these, each with the gateway that its network contains.
    ///
    /// A gateway in the configuration stays, as it was given for that very address.
    func completing(_ configured: [ResultAddress]) -> [ResultAddress] {
      (configured + addresses.map { ResultAddress(address: $0) }).map { address in
        var address = address
        let fitting = gateways.last { address.address.subnet.contains($0) }
        address.gateway = address.gateway ?? fitting
        return address
      }
    }
  }
}
