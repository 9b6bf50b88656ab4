import Linux

/// What upstream's library does with the same lists.
///
/// Made with Debian's golang-github-appc-cni-dev 1.1.2: a program of twenty lines called
/// `AddNetworkList`, `CheckNetworkList` and `DelNetworkList` for container `c1` and interface
/// `eth0`, with `CNI_ARGS` `IgnoreUnknown=1;K8S_POD_NAME=web` and the capability arguments that
/// stand in `cache-rich.json` (none for `plain`). `cache-*.json` are the files it left in its cache,
/// `request-*` is what the plugins, two shell scripts, read from standard input.
enum Golden {
  static func bytes(_ name: String) throws -> [UInt8] {
    let here = #filePath
    let folder = here[..<(here.lastIndex(of: "/") ?? here.endIndex)]
    return try File.read("\(folder)/Goldens/\(name)", limit: 1 << 20)
  }

  static func text(_ name: String) throws -> String {
    String(decoding: try bytes(name), as: UTF8.self)
  }
}
