/// Which boot of which machine this is.
public enum BootID {
  /// A text that is another one after each boot.
  ///
  /// Kernel name: `/proc/sys/kernel/random/boot_id`.
  ///
  /// - Returns: 36 characters.
  /// - Throws: ``SystemError`` when `/proc` does not tell.
  public static func current() throws(SystemError) -> String {
    text(try Sysctl.read(["kernel", "random", "boot_id"]))
  }

  /// A text that stays the same as long as the machine does.
  ///
  /// Name in machine-id(5): `/etc/machine-id`.
  ///
  /// - Returns: the text; nil when the machine has none, which is not an error.
  /// - Throws: ``SystemError`` when it is there but cannot be read.
  public static func machine() throws(SystemError) -> String? {
    do throws(SystemError) {
      // Often a link on read-only systems.
      let bytes = try File.read("/etc/machine-id", limit: 256, followingLink: true)
      let id = text(String(decoding: bytes, as: UTF8.self))
      return id.isEmpty ? nil : id
    } catch {
      if error.errno == .noEntry { return nil }
      throw error
    }
  }

  private static func text(_ line: String) -> String {
    String(decoding: line.utf8.prefix { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
  }
}
