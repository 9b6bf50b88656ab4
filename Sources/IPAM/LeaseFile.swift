internal import Addressing
internal import Linux

/// A lease as upstream keeps it: a file named like the address, holding the owner.
enum LeaseFile {
  /// What a name in the store turned out to be.
  enum Finding {
    /// A lease; the status tells this file from a later one of the same name.
    case lease(LeaseOwner, FileStatus)
    /// An empty or torn file, left by a plugin that died while writing; the address is free.
    case torn
    /// Something that keeps the name from being used, and that is not ours to remove: a directory,
    /// a link, a FIFO, a file too large for a lease.
    case obstacle
    /// Nothing carries the name.
    case nothing
  }

  /// More than the longest owner; a longer file is no lease.
  private static let limit = 4096

  /// The bytes of a lease: container, CR LF, interface, and no line break at the end.
  static func bytes(for owner: LeaseOwner) -> [UInt8] {
    guard let interface = owner.interface else { return Array(owner.container.utf8) }
    return Array("\(owner.container)\r\n\(interface)".utf8)
  }

  /// Reads what a lease file holds; nil when no owner can be made of it.
  ///
  /// White space around the whole is ignored, as upstream does. Besides CR LF a lone LF parts
  /// container and interface, as files that went through an editor have it.
  static func owner(in bytes: [UInt8]) -> LeaseOwner? {
    // What a power cut leaves of a lease may be as long as it and hold nothing but zeros.
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      return nil
    }
    let lines = text.utf8.split { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
    switch lines.count {
    case 1: return LeaseOwner(container: String(Substring(lines[0])), interface: nil)
    case 2:
      return LeaseOwner(
        container: String(Substring(lines[0])), interface: String(Substring(lines[1])))
    default: return nil
    }
  }

  /// The address that a name in the store stands for; only the canonical text counts.
  ///
  /// Anything else is not a lease, whatever it holds: the lock, cursors, files of other tools.
  static func address(named name: String) -> IPAddress? {
    guard name.utf8.count <= 39, name.utf8.first.map({ $0.isAddressStart }) == true else {
      return nil
    }
    do {
      let address = try IPAddress(name)
      return address.description == name ? address : nil
    } catch {
      // Not being an address is the answer, not a failure.
      return nil
    }
  }

  /// Looks at a name without following a link or waiting for a FIFO.
  ///
  /// - Throws: ``SystemError`` when it cannot be told what is there.
  static func look(at path: String) throws(SystemError) -> Finding {
    do throws(SystemError) {
      let file = try File.open(path)
      let status = try file.status()
      let bytes = try file.readToEnd(limit: limit, subject: path)
      guard let owner = owner(in: bytes) else { return .torn }
      return .lease(owner, status)
    } catch {
      switch error.errno {
      case .noEntry: return .nothing
      case .link, .isDirectory, .invalid, .fileTooBig, .noDeviceOrAddress: return .obstacle
      default: throw error
      }
    }
  }
}

extension UInt8 {
  /// Whether an address can begin with this byte; spares most other names a closer look.
  fileprivate var isAddressStart: Bool {
    (0x30...0x39).contains(self) || (0x61...0x66).contains(self) || self == 0x3a
  }
}
