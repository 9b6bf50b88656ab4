import Glibc
import Linux
import TestSupport

/// A small disk of ext4, a file behind a loop device, whose power can be cut.
///
/// To be made where mounts are the caller's own, see `OwnMounts`; everything is gone when it goes.
final class LoopDisk {
  /// How much of what was done has reached the disk when the power goes.
  enum Cut: UInt32, CaseIterable, Sendable {
    /// The journal is written out at the last moment, the bytes of files are not: the worst of what
    /// a journalling file system may make of a power cut.
    case withJournal = 1
    /// Nothing that nobody has waited for.
    case withoutJournal = 2
  }

  /// Where it is mounted.
  let path: String
  private let directory: TemporaryDirectory
  private let device: String

  /// Makes an empty disk and mounts it.
  ///
  /// - Parameter megabytes: its size.
  /// - Throws: `SystemError`, or ``Failure`` of a tool.
  init(megabytes: Int = 16) throws {
    let directory = try TemporaryDirectory()
    let image = directory.path("disk")
    try File.open(image, for: .making).setLength(megabytes << 20)
    try Self.tool("/usr/sbin/mkfs.ext4", "-q", "-F", image)
    let device = try Self.tool("/usr/sbin/losetup", "--find", "--show", image)
    let path = directory.path("mounted")
    try Directory.create(path)
    self.directory = directory
    self.device = device
    self.path = path
    try mountIt()
  }

  deinit {
    do {
      try unmountIt()
      try Self.tool("/usr/sbin/losetup", "--detach", device)
    } catch {
      StandardStreams.writeDiagnostics("cannot take \(device) away: \(error)\n")
    }
  }

  /// Cuts the power, and gives it back: everything is lost that has not reached the disk.
  ///
  /// Nobody may have a file of it open.
  ///
  /// Kernel name: `FS_IOC_SHUTDOWN`; the journal is replayed when the disk is mounted again.
  func cutPower(_ cut: Cut) throws {
    try shutDown(cut)
    try unmountIt()
    try mountIt()
  }

  /// Writes out everything, so that no cut can take it.
  func settle() throws {
    try Self.tool("/usr/bin/sync", "--file-system", path)
  }

  /// Every file and what it holds, by the path below the disk.
  func files() throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    var folders = [""]
    while let folder = folders.popLast() {
      for name in try Directory.entries(of: path + folder) where name != "lost+found" {
        let place = "\(folder)/\(name)"
        switch try File.status(of: path + place)?.kind {
        case .directory: folders.append(place)
        case .regular: files[place] = try File.readIfPresent(path + place, limit: 1 << 24)
        default: continue
        }
      }
    }
    return files
  }

  private func shutDown(_ cut: Cut) throws {
    let open = try Directory.open(path)
    var flag = cut.rawValue
    try Syscall.check("ioctl FS_IOC_SHUTDOWN", path) {
      unsafe ioctl(open.rawValue, 0x8004_587d, &flag)
    }
  }

  private func mountIt() throws {
    try Syscall.check("mount", path) { unsafe mount(device, path, "ext4", 0, nil) }
  }

  private func unmountIt() throws {
    var failure: SystemError?
    // A program that another test is just starting may hold a copy of our descriptors.
    _ = Patience.until(.seconds(60)) {
      do throws(SystemError) {
        try Syscall.check("umount", path) { unsafe umount2(path, 0) }
        failure = nil
      } catch {
        failure = error
      }
      return failure == nil
    }
    if let failure { throw failure }
  }

  @discardableResult
  private static func tool(_ program: String, _ words: String...) throws -> String {
    let ran = try ChildProcess.run(program, arguments: words, environment: .current())
    guard ran.isSuccess else {
      throw Failure(
        description: "\(program) \(words): \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
    return String(String(decoding: ran.output, as: UTF8.self).prefix { $0 != "\n" })
  }

  /// A tool has failed.
  struct Failure: Error, CustomStringConvertible { let description: String }
}
