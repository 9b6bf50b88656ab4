internal import CLinux
internal import Glibc
public import Linux

/// A new network namespace for one test, gone when this value goes.
///
/// It holds `lo`, up, and nothing else. Its work is done on the calling thread, which stands in the
/// namespace for that long: `body` is not `async`, so it cannot wake up on another thread. Make as
/// many as a test needs, one for the host and one for each pod.
///
///     let host = try FreshNamespace()
///     let pod = try FreshNamespace()
///     let links = try host.run { try addAndList(pod.path) }
///     #expect(links == ["lo", "cni0"])
///
/// What comes out of ``run(_:)`` should be plain data: `#expect` takes no `~Copyable` values.
public struct FreshNamespace: ~Copyable, Sendable {
  /// The namespace itself.
  public let namespace: NetworkNamespace

  /// Makes a namespace.
  ///
  /// - Throws: `SystemError`; `EPERM` without root.
  public init() throws(SystemError) {
    let made = try NetworkNamespace.make()
    do throws(NamespaceError<SystemError>) {
      try made.run(setLoopbackUp)
    } catch {
      switch error {
      case .unreachable(let error), .work(let error): throw error
      }
    }
    namespace = made
  }

  /// A path that serves as `CNI_NETNS`, here and in programs started from here.
  ///
  /// It leads nowhere as soon as this value has gone, and nothing needs to be unmounted.
  public var path: String { namespace.sharedPath }

  /// Does some work standing in the namespace.
  ///
  /// Programs started there work there too.
  public borrowing func run<Product: ~Copyable>(_ body: () throws -> Product) throws -> Product {
    do {
      return try namespace.run(body)
    } catch .unreachable(let error) {
      throw error
    } catch .work(let failure) {
      throw failure
    }
  }

  /// Does some work in a namespace of its own, which is gone afterwards.
  public static func run<Product: ~Copyable>(_ body: () throws -> Product) throws -> Product {
    try FreshNamespace().run(body)
  }
}

/// Sets `lo` up by the oldest way there is, so that no code under test takes part.
private func setLoopbackUp() throws(SystemError) {
  let number = try Syscall.check("socket") {
    socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  }
  let wire = OwnedDescriptor(adopting: number)
  var request = unsafe ifreq()
  unsafe withUnsafeMutableBytes(of: &request.ifr_ifrn) { name in
    unsafe name.copyBytes(from: "lo".utf8)
  }
  unsafe request.ifr_ifru.ifru_flags = Int16(IFF_UP)
  let open = wire.rawValue
  try Syscall.check("ioctl SIOCSIFFLAGS", "lo") {
    unsafe ioctl(open, UInt(SIOCSIFFLAGS), &request)
  }
}
