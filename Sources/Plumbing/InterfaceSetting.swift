public import Addressing
public import Linux

/// A setting that the kernel keeps for each interface, in the thread's network namespace.
///
/// Kernel names: `net.ipv4.conf.INTERFACE.KEY` and `net.ipv6.conf.INTERFACE.KEY`.
public enum InterfaceSetting {
  /// Reads a setting.
  ///
  /// - Throws: `SystemError`; `ENOENT` when the kernel has no such setting, as without IPv6.
  public static func read(
    _ family: IPFamily, _ interface: InterfaceName, _ key: String
  ) throws(SystemError) -> String {
    try Sysctl.read(name(family, interface, key))
  }

  /// Writes a setting.
  ///
  /// - Throws: `SystemError`; `EROFS` where `/proc/sys` is read-only.
  public static func write(
    _ family: IPFamily, _ interface: InterfaceName, _ key: String, _ value: String
  ) throws(SystemError) {
    try Sysctl.write(name(family, interface, key), value)
  }

  /// Writes a setting that makes things safer or quicker, but not possible.
  ///
  /// That it cannot be written, as on a kernel without IPv6 or with a read-only `/proc/sys`, is not
  /// an error.
  public static func prefer(
    _ family: IPFamily, _ interface: InterfaceName, _ key: String, _ value: String
  ) {
    do {
      try write(family, interface, key, value)
    } catch {
      // Nothing depends on it.
    }
  }

  /// Makes an interface of the host deaf to router advertisements of containers (CVE-2020-10749).
  public static func ignoreRouterAdvertisements(_ interface: InterfaceName) {
    prefer(.v6, interface, "accept_ra", "0")
  }

  /// Makes the link-local address of an interface of the host usable at once.
  ///
  /// The host asks for its pods' hardware addresses from that address; while duplicates of it are
  /// looked for, which takes a second or two, it asks nobody and passes on no IPv6 packet. To be
  /// called before the link carries frames. Kernel name: `accept_dad`.
  public static func skipDuplicateDetection(_ interface: InterfaceName) {
    prefer(.v6, interface, "accept_dad", "0")
  }

  private static func name(
    _ family: IPFamily, _ interface: InterfaceName, _ key: String
  ) -> [String] {
    switch family {
    case .v4: ["net", "ipv4", "conf", interface.text, key]
    case .v6: ["net", "ipv6", "conf", interface.text, key]
    }
  }
}

/// The settings of IPv6 for the interfaces of a namespace, held open.
///
/// Kernel name: `net.ipv6.conf`.
enum IPv6Settings: ~Copyable {
  case there(Sysctl.Folder)
  /// The kernel runs without IPv6, or `/proc/sys` cannot be read; whoever needs it says so.
  case missing(SystemError)

  /// Opens those of the namespace the thread stands in.
  init() {
    do throws(SystemError) {
      self = .there(try Sysctl.Folder(["net", "ipv6", "conf"]))
    } catch {
      self = .missing(error)
    }
  }

  /// Writes a setting of an interface.
  ///
  /// - Throws: `SystemError`; `ENOENT` without IPv6, `EROFS` where `/proc/sys` is read-only.
  borrowing func write(
    _ interface: String, _ key: String, _ value: String
  ) throws(SystemError) {
    switch self {
    case .there(let folder): try folder.write([interface, key], value)
    case .missing(let error): throw error
    }
  }

  /// Writes a setting of an interface unless it is as wanted.
  ///
  /// - Throws: `SystemError` as ``write(_:_:_:)``.
  borrowing func writeIfDifferent(
    _ interface: String, _ key: String, _ value: String
  ) throws(SystemError) {
    switch self {
    case .there(let folder): try folder.writeIfDifferent([interface, key], value)
    case .missing(let error): throw error
    }
  }

  /// Writes a setting that makes things safer or quicker, but not possible.
  borrowing func prefer(_ interface: InterfaceName, _ key: String, _ value: String) {
    do {
      try write(interface.text, key, value)
    } catch {
      // Nothing depends on it.
    }
  }
}
