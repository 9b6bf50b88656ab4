extension Directory {
  /// Shows that files could be written to a directory now, without leaving anything behind.
  ///
  /// - Parameter path: the directory; while it is missing, the nearest one above it speaks for it.
  /// - Throws: ``SystemError``: a disk that is full, read-only or broken, or something else in the
  ///   directory's place.
  public static func proveWritable(_ path: String) throws(SystemError) {
    let directory = try nearest(to: path)
    do throws(SystemError) {
      // Without a name it is gone as soon as it is closed.
      let file = try UnnamedFile(in: directory)
      try file.descriptor.write([0])
      try file.descriptor.startWriteback()
    } catch {
      // The file system has no unnamed files, so a proof would leave a trace; whoever writes will
      // be told.
      let isWithoutUnnamed = [.notSupported, .isDirectory, .invalid, .notImplemented]
        .contains(error.errno)
      guard isWithoutUnnamed else { throw error }
    }
  }

  /// A directory, or the first one above it that is there.
  private static func nearest(to path: String) throws(SystemError) -> String {
    var parts = path.split(separator: "/")
    while true {
      let candidate = "/" + parts.joined(separator: "/")
      if let status = try File.status(of: candidate, followingLink: true) {
        guard status.kind == .directory else {
          throw SystemError(operation: "mkdir", subject: candidate, errno: .notDirectory)
        }
        return candidate
      }
      guard !parts.isEmpty else { return candidate }
      parts.removeLast()
    }
  }
}
