/// What this host is called.
public enum HostName {
  /// The name of the host, or of the container that the process is in.
  ///
  /// Kernel name: `/proc/sys/kernel/hostname`.
  ///
  /// - Throws: ``SystemError`` when `/proc` does not tell.
  public static func current() throws(SystemError) -> String {
    String(try Sysctl.read(["kernel", "hostname"]).prefix { !$0.isNewline })
  }
}
