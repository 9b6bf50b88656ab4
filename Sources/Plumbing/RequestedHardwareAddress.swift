public import Addressing
public import CNI
internal import JSON

/// The hardware address that somebody asks for the container's interface.
public enum RequestedHardwareAddress {
  /// Reads it from the three places where it may stand.
  ///
  /// `runtimeConfig.mac` goes before `args.cni.mac`, that before `MAC` in `CNI_ARGS`.
  ///
  /// - Returns: the address, or `nil` if nobody asks for one.
  /// - Throws: ``ProtocolError`` for a text that is none, and for `CNI_ARGS` that cannot be read.
  public static func read(from request: Request) throws(ProtocolError) -> HardwareAddress? {
    // Read first, so that bad arguments are told whether or not they matter.
    let arguments = try request.commandArguments(known: ["MAC"])
    if let address = try request.configuration.runtimeConfig.hardwareAddress {
      return try usable(address, key: "runtimeConfig.mac")
    }
    if let fields = try request.configuration.arguments {
      let text = try fields.read { fields throws(JSONFieldError) in try fields.text("mac") }
      if let text, !text.isEmpty { return try parse(text, key: "args.cni.mac") }
    }
    guard let text = arguments["MAC"], !text.isEmpty else { return nil }
    return try parse(text, key: "CNI_ARGS MAC")
  }

  /// Reads a text as the address of an interface.
  ///
  /// - Parameters:
  ///   - text: the address.
  ///   - key: where it stands, for the error.
  /// - Returns: the address.
  /// - Throws: ``ProtocolError`` for what is no address, or that of a group or of nobody.
  public static func parse(
    _ text: String, key: String
  ) throws(ProtocolError) -> HardwareAddress {
    let address: HardwareAddress
    do {
      address = try HardwareAddress(text)
    } catch {
      throw ProtocolError(error, key: key)
    }
    return try usable(address, key: key)
  }

  /// Refuses what the kernel would: the address of a group, and none at all.
  private static func usable(
    _ address: HardwareAddress, key: String
  ) throws(ProtocolError) -> HardwareAddress {
    guard !address.isMulticast, address != .zero else {
      throw ProtocolError(
        .invalidConfiguration, "\(key): \(address) cannot be the address of an interface",
        details: "the first byte of a single interface's address is even, and not all are zero")
    }
    return address
  }
}
