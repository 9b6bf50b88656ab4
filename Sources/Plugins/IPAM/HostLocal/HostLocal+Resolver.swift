internal import CNI
internal import Linux

extension HostLocalConfiguration {
  /// The resolver's settings, from the file that `resolvConf` names; empty ones without it.
  ///
  /// - Throws: ``ProtocolError`` when the file cannot be read: a container must not silently be
  ///   left without names.
  func resolverSettings() throws(ProtocolError) -> DNSSettings {
    guard let resolverPath else { return DNSSettings() }
    do throws(SystemError) {
      // Often a link into the directory of a resolver daemon.
      let bytes = try File.read(resolverPath, limit: 1 << 20, followingLink: true)
      return DNSSettings(resolverFile: String(decoding: bytes, as: UTF8.self))
    } catch {
      var failure = ProtocolError(error)
      failure.message = "ipam.resolvConf: \(error)"
      throw failure
    }
  }
}

extension DNSSettings {
  /// Reads the form of resolv.conf(5).
  ///
  /// Further lines of `search` and `options` add to the earlier ones; the last `domain` counts.
  init(resolverFile text: String) {
    var nameservers: [String] = []
    var search: [String] = []
    var options: [String] = []
    var domain: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let keyword = words.first, words.count > 1, let first = keyword.first,
        first != "#", first != ";"
      else {
        continue
      }
      switch keyword {
      case "nameserver": nameservers.append(words[1])
      case "domain": domain = words[1]
      case "search": search += words.dropFirst()
      case "options": options += words.dropFirst()
      default: continue
      }
    }
    self.init(nameservers: nameservers, domain: domain, search: search, options: options)
  }
}
