internal import CLinux
internal import Glibc

/// A new file that has no name until it is complete.
///
/// Nobody can see it before ``link(as:)``, and a process that dies leaves nothing behind. On file
/// systems that have no unnamed files it has a name in a side directory instead, which goes with
/// this value; a killed process leaves that one, for the directory's owner to clear.
///
/// Kernel name: `O_TMPFILE` and `linkat`.
public struct UnnamedFile: ~Copyable {
  /// The open file, empty at first.
  public let descriptor: OwnedDescriptor

  /// Its name in the side directory, where the file system wants one.
  private let sideName: String?

  /// Makes an empty file without a name.
  ///
  /// - Parameters:
  ///   - directory: where it will get its name, or any directory on the same file system.
  ///   - sideDirectory: where it gets a provisional name if it must have one; without it the lack
  ///     of unnamed files is an error.
  ///   - mode: its mode, whatever the umask.
  /// - Throws: ``SystemError``.
  public init(
    in directory: String, sideDirectory: String? = nil, mode: FileMode = 0o600
  ) throws(SystemError) {
    do throws(SystemError) {
      let flags = Int32(CNI_O_TMPFILE_BIT) | O_DIRECTORY | O_RDWR | O_CLOEXEC
      let number = try Syscall.check("open O_TMPFILE", directory) {
        unsafe open(directory, flags, mode_t(mode.rawValue))
      }
      let made = OwnedDescriptor(adopting: number)
      try Syscall.check("fchmod", directory) { fchmod(number, mode_t(mode.rawValue)) }
      self.init(made, sideName: nil)
    } catch {
      // EISDIR and EINVAL are how kernels and file systems older than the flag answer.
      let lacksUnnamedFiles = [.notSupported, .isDirectory, .invalid].contains(error.errno)
      guard lacksUnnamedFiles, let sideDirectory else { throw error }
      try self.init(provisionallyNamedIn: sideDirectory, mode: mode)
    }
  }

  /// Makes an empty file with a provisional name, as on file systems that want one.
  package init(provisionallyNamedIn directory: String, mode: FileMode) throws(SystemError) {
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let name = "\(directory)/\(random).new"
    let made = try File.open(name, for: .making, mode: mode)
    let number = made.rawValue
    do throws(SystemError) {
      try Syscall.check("fchmod", name) { fchmod(number, mode_t(mode.rawValue)) }
    } catch {
      _ = unsafe unlink(name)
      throw error
    }
    self.init(made, sideName: name)
  }

  private init(_ descriptor: consuming OwnedDescriptor, sideName: String?) {
    self.descriptor = descriptor
    self.sideName = sideName
  }

  deinit {
    if let sideName { _ = unsafe unlink(sideName) }
  }

  /// Sends what was written on its way to the device; ``finishWriteback()`` waits for it.
  ///
  /// - Throws: as ``finishWriteback()``.
  public borrowing func startWriteback() throws(SystemError) {
    do throws(SystemError) {
      try descriptor.startWriteback()
    } catch {
      try passOver(error)
    }
  }

  /// Waits until the device has what was written, so that a power cut leaves no name without it.
  ///
  /// File systems that cannot tell are passed over.
  ///
  /// - Throws: ``SystemError`` of `sync_file_range`; a full or broken device must not seem to be fine.
  public borrowing func finishWriteback() throws(SystemError) {
    do throws(SystemError) {
      try descriptor.finishWriteback()
    } catch {
      try passOver(error)
    }
  }

  private borrowing func passOver(_ error: SystemError) throws(SystemError) {
    guard [.invalid, .notImplemented, .notSupported].contains(error.errno) else { throw error }
  }

  /// Gives the file its name, at once and complete.
  ///
  /// It may be called again for a further name.
  ///
  /// - Parameter path: the name.
  /// - Throws: ``SystemError``; `EEXIST` when the name is taken, and then nothing has changed.
  public borrowing func link(as path: String) throws(SystemError) {
    if let sideName { return try File.link(sideName, as: path) }
    let number = descriptor.rawValue
    do throws(SystemError) {
      try Syscall.check("linkat", path) {
        unsafe linkat(number, "", AT_FDCWD, path, Int32(CNI_AT_EMPTY_PATH))
      }
    } catch {
      // Without CAP_DAC_READ_SEARCH the kernel answers ENOENT and wants the way through /proc.
      guard error.errno == .noEntry else { throw error }
      try Syscall.check("linkat", path) {
        unsafe linkat(AT_FDCWD, "/proc/self/fd/\(number)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
      }
    }
  }
}
