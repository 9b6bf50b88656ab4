internal import Digest
internal import Linux

/// All that an apply goes by, so that one that has nothing to do can tell so without reading it.
///
/// Of every file, of the operator's and of the store's, there is what the file system knows, with the
/// moment of its last change that nobody can set back; of the kernel there is the number that each
/// transaction of anybody raises, whatever it is about. A part that is as it was when an apply found
/// everything in agreement would be found the same again.
struct ServiceScene: Hashable {
  /// The definitions, compiled ones too, as a text that is another one when they are; so are the rest.
  let definitions: String
  /// The store, the settings, and who reads them: another program may want other tables, and another
  /// host name other slices.
  let store: String
  /// The rules of everybody and the addresses of the node.
  let kernel: String
  /// When the youngest of the files changed.
  let youngest: FileStamp
}

extension ServiceNode {
  /// How everything is now.
  func scene() throws(ServiceError) -> ServiceScene {
    let kernel = try asking { plane throws(ServiceTableError) in try plane.situation() }
    return try store.doing { store throws(SystemError) in
      var definitions = FileDigest()
      for directory in [paths.definitions, paths.compiledDirectory] {
        try definitions.add(all: store.entries(of: directory), in: directory)
      }
      var files = FileDigest()
      for path in [paths.settings, paths.subnets, paths.ledger, store.settingsFile] {
        try files.add(path)
      }
      let networks = try store.entries(of: paths.endpoints).map { "\(paths.endpoints)/\($0)" }
      for directory in store.directories + networks {
        try files.add(all: store.entries(of: directory), in: directory)
      }
      let place = try NetworkNamespace.current().identity()
      let surroundings = [
        try BootID.current(), try HostName.current(), "\(place.device):\(place.inode)",
      ]
      for text in surroundings { files.add(text: text) }
      try files.add("/proc/self/exe", followingLink: true)
      return ServiceScene(
        definitions: definitions.text, store: files.text, kernel: kernel,
        youngest: max(definitions.youngest, files.youngest))
    }
  }
}

/// What the file system knows of many files, in few bytes.
private struct FileDigest {
  private var digest = SHA512()
  private(set) var youngest = FileStamp(seconds: 0, nanoseconds: 0)

  mutating func add(all names: [String], in directory: String) throws(SystemError) {
    add(text: "\(directory) \(names.count)")
    for name in names { try add("\(directory)/\(name)") }
  }

  mutating func add(text: String) { digest.update(Array(text.utf8) + [0]) }

  mutating func add(_ path: String, followingLink: Bool = false) throws(SystemError) {
    var bytes = Array(path.utf8)
    bytes.append(0)
    if let status = try File.status(of: path, followingLink: followingLink) {
      youngest = max(youngest, status.changed)
      let numbers = [
        UInt64(bitPattern: status.changed.seconds), UInt64(bitPattern: status.changed.nanoseconds),
        UInt64(status.size), status.identity.device, status.identity.inode,
      ]
      for number in numbers {
        for shift in stride(from: 0, to: 64, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
      }
    }
    digest.update(bytes)
  }

  /// 32 hexadecimal digits.
  var text: String { digest.hex(prefix: 32) }
}
