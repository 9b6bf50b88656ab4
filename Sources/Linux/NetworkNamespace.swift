internal import CLinux
internal import Glibc

/// A network namespace held open.
///
/// It lives at least as long as this value, whatever becomes of its processes and names.
public struct NetworkNamespace: ~Copyable, Sendable {
  /// The descriptor that holds it.
  package let descriptor: OwnedDescriptor

  /// What it was opened as, for messages.
  public let path: String

  /// Opens a namespace by a path, such as `/run/netns/x` or `/proc/42/ns/net`.
  ///
  /// Links are followed: those of `/proc` are how namespaces are named.
  ///
  /// - Parameter path: where it is.
  /// - Throws: ``SystemError``; `ENOENT` when it is gone, `EINVAL` when the path holds something
  ///   other than a network namespace.
  public init(path: String) throws(SystemError) {
    let opened = try Self.open(path)
    let number = opened.rawValue
    // The kind is asked only of the namespace file system: elsewhere the request's number may mean
    // something else.
    var answer = statfs()
    try Syscall.check("fstatfs", path) { unsafe fstatfs(number, &answer) }
    // A namespace that does not tell its kind must not count as another kind: DEL would take it for
    // gone.
    guard answer.f_type == NSFS_MAGIC,
      try Syscall.check("ioctl NS_GET_NSTYPE", path, { ioctl(number, UInt(CNI_NS_GET_NSTYPE)) })
        == CLONE_NEWNET
    else { throw SystemError(operation: "open network namespace", subject: path, errno: .invalid) }
    self.init(opened, path)
  }

  private init(_ descriptor: consuming OwnedDescriptor, _ path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  private static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
    let number = try Syscall.check("open", path) {
      // O_NONBLOCK, because a FIFO in this place must not hold us up.
      unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    }
    return OwnedDescriptor(adopting: number)
  }

  /// Which namespace it is.
  ///
  /// - Throws: ``SystemError`` of `fstat`.
  public borrowing func identity() throws(SystemError) -> FileIdentity {
    try descriptor.status().identity
  }

  /// The namespace the calling thread stands in.
  ///
  /// - Returns: that namespace.
  /// - Throws: ``SystemError`` when `/proc` does not tell.
  public static func current() throws(SystemError) -> NetworkNamespace {
    let path = "/proc/thread-self/ns/net"
    // What `/proc` itself calls a namespace need not be asked whether it is one.
    return NetworkNamespace(try open(path), path)
  }

  /// Makes a new, empty namespace; the calling thread stays where it is.
  ///
  /// It holds one link, `lo`, which is down. It goes with this value, unless processes, sockets or
  /// mounts keep it.
  ///
  /// - Returns: the new namespace.
  /// - Throws: ``SystemError``; `EPERM` without the privilege.
  public static func make() throws(SystemError) -> NetworkNamespace {
    let home = try current()
    try Syscall.check("unshare", "network namespace") { unshare(CLONE_NEWNET) }
    defer { home.enterOrDie() }
    return try current()
  }

  /// A path others can open this namespace by, as long as this value and its process live.
  public var sharedPath: String {
    "/proc/\(getpid())/fd/\(descriptor.rawValue)"
  }

  /// Does some work with the calling thread standing in this namespace.
  ///
  /// The thread is back where it was when this returns or throws. If there should be no way back
  /// the process ends at once, with a message: to go on in the wrong namespace would change
  /// another's network. Sockets opened inside go on working from outside.
  ///
  /// Kernel name: `setns`, which moves one thread only; the work must not leave the thread.
  ///
  /// - Parameter body: the work.
  /// - Returns: what the work returns.
  /// - Throws: ``NamespaceError``, which tells a failed way there from failed work.
  public borrowing func run<Product: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Product
  ) throws(NamespaceError<Failure>) -> Product {
    let home = try departing(toFailWith: Failure.self)
    defer { home.enterOrDie() }
    do throws(Failure) {
      return try body()
    } catch {
      throw .work(error)
    }
  }

  /// Moves the calling thread into this namespace, for good.
  ///
  /// - Throws: ``SystemError`` of `setns`.
  package borrowing func enter() throws(SystemError) {
    let number = descriptor.rawValue
    try Syscall.check("setns", path) { setns(number, CLONE_NEWNET) }
  }

  /// Enters this namespace and returns the one the thread comes from.
  private borrowing func departing<Failure: Error>(
    toFailWith: Failure.Type
  ) throws(NamespaceError<Failure>) -> NetworkNamespace {
    do throws(SystemError) {
      let home = try NetworkNamespace.current()
      try enter()
      return home
    } catch {
      throw .unreachable(error)
    }
  }

  private borrowing func enterOrDie() {
    do throws(SystemError) {
      try enter()
    } catch {
      StandardStreams.writeDiagnostics(
        "swift-cni: cannot return to the network namespace this process came from (\(error)); "
          + "ending here rather than working in the wrong one\n")
      abort()
    }
  }
}
