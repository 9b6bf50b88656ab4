import Addressing
import Linux
import Netlink
import Nftables
import Services

/// Tables with many services.
enum Load {
  /// Services at 10.96.0.0/12, port 80, with three backends each.
  static func services(_ count: Int, backends: Int = 3) -> [Frontend] {
    (0..<count).map { number in
      Frontend(
        .address(IPAddress(bits: 0x0a60_0000 + UInt128(number), family: .v4)), .tcp, port: 80,
        for: .cluster, backends: (0..<backends).map { backend(number * 3 + $0) })
    }
  }

  static func backend(_ number: Int) -> Backend {
    Backend(IPAddress(bits: 0x0b00_0000 + UInt128(number), family: .v4), port: 8080)
  }

  /// How long it takes to make both tables with so many services, from values to the kernel's answer.
  static func ours(_ count: Int) throws -> Duration {
    let services = services(count)
    return try NetworkNamespace.make().run { () throws in
      let socket = try NetlinkSocket<NetfilterFamily>()
      return try ContinuousClock().measure {
        try ServiceTable.replace(with: services, ServiceTable.Settings(), on: socket)
      }
    }
  }

  /// How long nft takes to load so many services in the shape of kube-proxy's nftables mode: a chain
  /// for each service and each endpoint, and an anonymous map for each service.
  static func classic(_ count: Int) throws -> Duration {
    var text = "table ip kube-proxy {\n"
    text += "map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
    for (number, service) in services(count).enumerated() {
      for (index, backend) in service.backends.enumerated() {
        text += "chain endpoint-\(number)-\(index) {\n"
        text += "ip saddr \(backend.address) meta mark set mark or 0x4000\n"
        text += "meta l4proto tcp dnat to \(backend.address):\(backend.port)\n}\n"
      }
      let choices = service.backends.indices.map { "\($0) : goto endpoint-\(number)-\($0)" }
      text += "chain service-\(number) {\n"
      text += "numgen random mod 3 vmap { \(choices.joined(separator: ", ")) }\n}\n"
    }
    text += """
      chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
      chain prerouting { type nat hook prerouting priority -100; jump services; }
      chain output { type nat hook output priority -100; jump services; }
      }

      """
    for (number, service) in services(count).enumerated() {
      guard case .address(let address) = service.place else { continue }
      text += "add element ip kube-proxy service-ips "
      text += "{ \(address) . tcp . 80 : goto service-\(number) }\n"
    }
    return try NetworkNamespace.make().run { () throws in
      try ContinuousClock().measure {
        try run("/usr/sbin/nft", ["-f", "-"], input: text)
      }
    }
  }

  /// What one endpoint more, and one fewer, costs at so many services, each on a socket of its own as
  /// a plugin has it.
  static func changes(_ count: Int) throws -> (added: [Duration], removed: [Duration]) {
    let services = services(count)
    return try NetworkNamespace.make().run { () throws in
      let first = try NetlinkSocket<NetfilterFamily>()
      try ServiceTable.replace(with: services, ServiceTable.Settings(), on: first)
      let clock = ContinuousClock()
      var added: [Duration] = []
      var removed: [Duration] = []
      for round in 0..<200 {
        let before = services[round * 7_919 % count]
        var after = before
        after.backends.append(backend(10_000_000 + round))
        let socket = try NetlinkSocket<NetfilterFamily>()
        added.append(
          try clock.measure { try ServiceTable.change(from: [before], to: [after], on: socket) })
        removed.append(
          try clock.measure { try ServiceTable.change(from: [after], to: [before], on: socket) })
        socket.closeInBackground()
      }
      return (added, removed)
    }
  }

  /// Runs a program that must succeed.
  static func run(_ path: String, _ arguments: [String], input: String = "") throws {
    let ran = try ChildProcess.run(
      path, arguments: arguments, environment: Environment(), input: Array(input.utf8))
    guard ran.isSuccess else {
      throw BenchFailure(text: String(decoding: ran.diagnostics, as: UTF8.self))
    }
  }
}

struct BenchFailure: Error, CustomStringConvertible {
  let text: String
  var description: String { text }
}

extension [Duration] {
  var median: Duration { quantile(0.5) }

  /// The value below which this part of them lies.
  func quantile(_ part: Double) -> Duration {
    guard !isEmpty else { return .zero }
    return sorted()[Int((Double(count - 1) * part).rounded())]
  }
}

extension Duration {
  /// In the unit that suits.
  var text: String {
    let nanoseconds = components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    let (value, unit): (Int64, String) =
      switch nanoseconds {
      case ..<10_000: (nanoseconds, "ns")
      case ..<10_000_000: (nanoseconds / 1_000, "µs")
      default: (nanoseconds / 1_000_000, "ms")
      }
    return "\(value) \(unit)"
  }
}
