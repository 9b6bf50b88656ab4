public import Addressing
internal import Linux

/// Settings of IPv6 that the kernel keeps for each interface, in the thread's network namespace.
///
/// They make things safer or quicker, but not possible: that one cannot be written, as on a kernel
/// without IPv6 or with a read-only `/proc/sys`, is not an error.
///
/// Kernel name: `net.ipv6.conf.INTERFACE.KEY`.
public enum InterfaceSetting {
  /// Makes an interface of the host deaf to router advertisements of containers (CVE-2020-10749).
  public static func ignoreRouterAdvertisements(_ interface: InterfaceName) {
    prefer(interface, "accept_ra", "0")
  }

  /// Makes the link-local address of an interface of the host usable at once.
  ///
  /// The host asks for its pods' hardware addresses from that address; while duplicates of it are
  /// looked for, which takes a second or two, it asks nobody and passes on no IPv6 packet. To be
  /// called before the link carries frames. Kernel name: `accept_dad`.
  public static func skipDuplicateDetection(_ interface: InterfaceName) {
    prefer(interface, "accept_dad", "0")
  }

  private static func prefer(_ interface: InterfaceName, _ key: String, _ value: String) {
    do {
      try Sysctl.write(["net", "ipv6", "conf", interface.text, key], value)
    } catch {
      // Nothing depends on it.
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
