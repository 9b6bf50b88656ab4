internal import Glibc
public import Linux

/// The files that a test needs beside its own code.
public enum BuiltProgram {
  /// The `cni` to try: the static one of `install.sh test` if that is named by `SWIFT_CNI_STATIC`,
  /// otherwise the one that was built together with the tests.
  ///
  /// - Throws: `SystemError` when the running program cannot be found.
  public static func cni() throws(SystemError) -> String {
    if let named = Environment.current()["SWIFT_CNI_STATIC"], !named.isEmpty { return named }
    return try directory() + "/cni"
  }

  /// The `cnictl` to try, beside that `cni`.
  ///
  /// - Throws: `SystemError` when the running program cannot be found.
  public static func cnictl() throws(SystemError) -> String {
    let parts = try cni().split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.joined(separator: "/") + "/cnictl"
  }

  /// Where the programs lie that were built together with the tests.
  ///
  /// - Throws: `SystemError` when the running program cannot be found.
  public static func directory() throws(SystemError) -> String {
    try tests().split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
  }

  /// The program that is running: the one that holds all the tests.
  ///
  /// - Throws: `SystemError` when it cannot be found.
  public static func tests() throws(SystemError) -> String {
    let link = "/proc/self/exe"
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try Syscall.check("readlink", link) {
      unsafe readlink(link, &target, target.count)
    }
    return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A file of the sources, by its path in the repository.
  public static func source(_ path: String) -> String {
    // This file is Tests/TestSupport/BuiltProgram.swift.
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return root.joined(separator: "/") + "/" + path
  }
}
