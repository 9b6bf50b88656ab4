internal import CLinux
internal import Glibc

/// Links whose other end is a program, such as a virtual machine.
///
/// Kernel name: `/dev/net/tun`, `IFF_TAP`.
public enum TapDevice {
  /// What a device is made with.
  public struct Settings: Hashable, Sendable {
    /// Whether several programs or threads may serve it at once. `IFF_MULTI_QUEUE`
    public var hasManyQueues: Bool
    /// The user that may serve it; whoever has the privilege if nil.
    public var owner: UInt32?
    /// The group that may serve it; whoever has the privilege if nil.
    public var group: UInt32?

    /// Settings; what is left out is not restricted.
    public init(hasManyQueues: Bool = false, owner: UInt32? = nil, group: UInt32? = nil) {
      self.hasManyQueues = hasManyQueues
      self.owner = owner
      self.group = group
    }
  }

  /// Makes a device in the thread's network namespace, which stays when nobody serves it.
  ///
  /// Frames come with the header that offloading needs and without information about the packet; a
  /// program that serves the device may choose otherwise. Leaves nothing behind when it fails.
  ///
  /// - Parameters:
  ///   - name: its name, at most 15 bytes.
  ///   - settings: what it is made with.
  /// - Throws: ``SystemError``; `EBUSY` when a link has the name, `ENOENT` when the host has no such
  ///   devices.
  public static func make(_ name: String, _ settings: Settings) throws(SystemError) {
    let device = try open()
    var request = unsafe try InterfaceRequest.about(name, for: "ioctl TUNSETIFF")
    // Without the last one a device that is there already would be taken over.
    var flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL
    if settings.hasManyQueues { flags |= IFF_MULTI_QUEUE }
    unsafe request.ifr_ifru.ifru_flags = Int16(truncatingIfNeeded: flags)
    let number = device.rawValue
    try Syscall.check("ioctl TUNSETIFF", name) {
      unsafe ioctl(number, UInt(CNI_TUNSETIFF), &request)
    }
    // Until it is told to stay it goes with the descriptor.
    if let owner = settings.owner {
      try Syscall.check("ioctl TUNSETOWNER", "\(name) \(owner)") {
        ioctl(number, UInt(CNI_TUNSETOWNER), Int32(bitPattern: owner))
      }
    }
    if let group = settings.group {
      try Syscall.check("ioctl TUNSETGROUP", "\(name) \(group)") {
        ioctl(number, UInt(CNI_TUNSETGROUP), Int32(bitPattern: group))
      }
    }
    try Syscall.check("ioctl TUNSETPERSIST", name) {
      ioctl(number, UInt(CNI_TUNSETPERSIST), Int32(1))
    }
  }

  /// Asks whether devices can be made here, and makes none.
  ///
  /// - Throws: ``SystemError`` as ``make(_:_:)``.
  public static func checkSupport() throws(SystemError) {
    _ = try open()
  }

  private static func open() throws(SystemError) -> OwnedDescriptor {
    let path = "/dev/net/tun"
    return OwnedDescriptor(
      adopting: try Syscall.check("open", path) {
        unsafe Glibc.open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
      })
  }
}
