/// Leases that lie in a store before the measurement, in the format that both sides read.
enum LeaseFiles {
  static func write(_ count: Int, for contender: Contender, network: String, in store: String)
    throws(BenchError)
  {
    let directory = "\(store)/\(network)"
    try makeDirectory(directory)
    var address = ""
    for number in 2..<(count + 2) {
      address = "10.\(contender.subnetNumber).\(number / 256).\(number % 256)"
      try writeText("other-\(number)\r\neth0", to: "\(directory)/\(address)")
    }
    try writeText(address, to: "\(directory)/last_reserved_ip.0")
  }
}
