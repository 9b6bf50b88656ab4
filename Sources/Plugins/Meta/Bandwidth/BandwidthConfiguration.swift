import Addressing
import CNI
import JSON
import RouteNetlink

/// What a configuration asks for; a value of this type has no contradictions.
///
/// Keys and limits are those of upstream's bandwidth plugin, with `shapedSubnets` and
/// `unshapedSubnets` as its versions 1.5 and 1.6 had them, and `latency`, which is ours.
struct BandwidthConfiguration: Sendable {
  /// The limit of what goes into the container; `nil` for none.
  let ingress: TrafficShaper?
  /// The limit of what comes out of the container; `nil` for none.
  let egress: TrafficShaper?
  /// Which packets any limit holds for: keys `shapedSubnets` and `unshapedSubnets`.
  let choice: TrafficShaper.Choice

  /// Whether there is nothing to be limited.
  var isEmpty: Bool { ingress == nil && egress == nil }

  /// Reads the keys.
  ///
  /// Rates and bursts come from the configuration if it has any of them, else from the runtime; the
  /// other keys from wherever they are, the configuration first.
  ///
  /// - Throws: `ProtocolError` that names the key.
  init(_ request: Request) throws(ProtocolError) {
    let own = request.configuration.fields
    let given = try request.configuration.runtimeConfig.fields
      .read { fields throws(JSONFieldError) in try fields.nested("bandwidth") }
    let limits = Self.rateKeys.contains { own.value($0) != nil } ? own : given ?? own
    let places = [own, given].compactMap { $0 }

    let choice = try Self.choice(places)
    let latency = try Self.latency(places)
    self.choice = choice
    ingress = try Self.limit("ingress", limits, latency).map { TrafficShaper($0, choice, .ingress) }
    egress = try Self.limit("egress", limits, latency).map { TrafficShaper($0, choice, .egress) }
  }

  private static let rateKeys = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"]

  private static func limit(
    _ direction: String, _ fields: JSONFields, _ latency: Duration
  ) throws(ProtocolError) -> TrafficShaper.Limit? {
    let rateKey = fields.path(of: "\(direction)Rate")
    let burstKey = fields.path(of: "\(direction)Burst")
    let (rate, burst) = try fields.read { fields throws(JSONFieldError) in
      (
        try fields.integer("\(direction)Rate", as: UInt64.self) ?? 0,
        try fields.integer("\(direction)Burst", as: UInt64.self) ?? 0
      )
    }
    if rate == 0 && burst == 0 { return nil }
    guard burst != 0 else {
      throw refusal(
        "if rate is set, burst must also be set",
        "\(rateKey) is \(rate): give \(burstKey) too, in bits")
    }
    guard rate != 0 else {
      throw refusal(
        "if burst is set, rate must also be set",
        "\(burstKey) is \(burst): give \(rateKey) too, in bits per second")
    }
    guard let bytes = UInt32(exactly: burst / 8), bytes < .max else {
      throw refusal(
        "burst cannot be more than 4GB", "\(burstKey) is \(burst) bits, at most \(longestBurst)")
    }
    guard rate >= 8, bytes > 0 else {
      throw refusal(
        "rate and burst must be at least 8 bits",
        "\(rateKey) is \(rate) bits per second, \(burstKey) is \(burst) bits")
    }
    return TrafficShaper.Limit(
      rate: ByteRate(bitsPerSecond: rate), burst: bytes, latency: latency)
  }

  private static var longestBurst: UInt64 { UInt64(UInt32.max) * 8 - 1 }

  /// Which packets are limited: keys `shapedSubnets` and `unshapedSubnets`.
  private static func choice(_ places: [JSONFields]) throws(ProtocolError) -> TrafficShaper.Choice {
    let shaped = try subnets("shapedSubnets", places)
    let unshaped = try subnets("unshapedSubnets", places)
    switch (shaped.isEmpty, unshaped.isEmpty) {
    case (true, true): return .everything
    case (false, true): return .only(shaped)
    case (true, false): return .allBut(unshaped)
    case (false, false):
      throw refusal(
        "unshapedSubnets and shapedSubnets cannot be both specified, one of them should be "
          + "discarded", "give the networks to limit, or those not to limit")
    }
  }

  private static func subnets(
    _ key: String, _ places: [JSONFields]
  ) throws(ProtocolError) -> [Subnet] {
    guard let place = places.first(where: { $0.value(key) != nil }) else { return [] }
    let texts = try place.read { fields throws(JSONFieldError) in try fields.texts(key) } ?? []
    var subnets: [Subnet] = []
    for text in texts {
      do throws(AddressParseError) {
        // Bits of a host are dropped, as upstream drops them.
        subnets.append(try InterfaceAddress(text).subnet)
      } catch {
        throw refusal(
          "bad subnet \"\(text)\" provided, details \(error)",
          "\(place.path(of: key)) is a list of networks such as \"10.0.0.0/8\"")
      }
    }
    return subnets
  }

  /// How long a packet may wait beyond the time of the burst: key `latency`, in milliseconds.
  private static func latency(_ places: [JSONFields]) throws(ProtocolError) -> Duration {
    guard let place = places.first(where: { $0.value("latency") != nil }) else {
      return .milliseconds(25)
    }
    let number = try place.read { fields throws(JSONFieldError) in
      try fields.required("latency", "a whole number", try fields.integer("latency"))
    }
    guard 1...10000 ~= number else {
      throw refusal(
        "\(place.path(of: "latency")) is \(number)", "it is from 1 to 10000 milliseconds")
    }
    return .milliseconds(number)
  }

  private static func refusal(_ message: String, _ details: String) -> ProtocolError {
    ProtocolError(.invalidConfiguration, message, details: details)
  }
}
