internal import Linux

/// The directory `.swift-cni` beside the leases, where upstream does not look for any.
enum SideDirectory {
  /// Makes it, and clears away what killed processes have left in it.
  ///
  /// To be called under the store's lock: what has a provisional name then has no owner.
  static func prepare(_ path: String) throws(SystemError) {
    try Directory.create(path, mode: 0o700)
    for name in try Directory.entries(of: path) where name.hasSuffix(".new") {
      try File.remove("\(path)/\(name)")
    }
  }
}
