/// Who holds a lock, as the kernel lists it.
enum LockHolder {
  /// A process in words, such as `process 42 (bridge)`.
  ///
  /// Only a help for whoever reads a message: where the kernel does not tell, the text says so.
  static func describe(_ path: String) -> String {
    do throws(SystemError) {
      guard let file = try File.status(of: path)?.identity else { return unknown }
      return describe(file)
    } catch {
      return unknown
    }
  }

  /// Who holds the lock on a file.
  static func describe(_ file: FileIdentity) -> String {
    do throws(SystemError) {
      let table = try File.read("/proc/locks", limit: 1 << 20)
      guard let process = holder(of: file, in: String(decoding: table, as: UTF8.self))
      else { return unknown }
      let comm = try File.readIfPresent("/proc/\(process)/comm", limit: 64)
      let command = String(decoding: comm ?? [], as: UTF8.self).filter { $0 != "\n" }
      return command.isEmpty ? "process \(process)" : "process \(process) (\(command))"
    } catch {
      return unknown
    }
  }

  private static var unknown: String { "another process" }

  /// Finds the process in the kernel's table.
  ///
  /// A line reads `1: FLOCK  ADVISORY  WRITE 42 fd:00:131 0 EOF`; those who wait have `->` after
  /// the number. Layered file systems list another device than `stat` tells, so a lock on the same
  /// inode number of another device is the second choice.
  static func holder(of file: FileIdentity, in table: String) -> Int? {
    var sameInode: Int?
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", let process = Int(words[4]), process > 0
      else { continue }
      let place = words[5].split(separator: ":")
      guard place.count == 3, place[2] == "\(file.inode)" else { continue }
      let device = deviceNumber(major: place[0], minor: place[1])
      if device == file.device { return process }
      sameInode = process
    }
    return sameInode
  }

  /// Puts the halves together as `stat` does; the kernel's macro is `makedev`.
  private static func deviceNumber(major: Substring, minor: Substring) -> UInt64? {
    guard let major = UInt64(major, radix: 16), let minor = UInt64(minor, radix: 16)
    else { return nil }
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32
  }
}
