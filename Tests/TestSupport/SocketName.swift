public import Glibc

/// An address and a port as the socket calls take them.
public struct SocketName {
  private var storage = sockaddr_storage()
  private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  /// Room for a name that a call fills in.
  public init() {}

  /// A name to send to or to listen on; the family is told by the text.
  ///
  /// - Parameters:
  ///   - address: the address.
  ///   - port: the port; 0 for any.
  ///   - link: the link on which an IPv6 address means something, if it does on one only.
  public init(_ address: String, port: UInt16, onLink link: String? = nil) {
    if address.contains(":") {
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      if let link { name.sin6_scope_id = unsafe if_nametoindex(link) }
      unsafe inet_pton(AF_INET6, address, &name.sin6_addr)
      store(name)
    } else {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      unsafe inet_pton(AF_INET, address, &name.sin_addr)
      store(name)
    }
  }

  /// The address as text, without the port.
  public var address: String {
    var copy = self
    var text = [CChar](repeating: 0, count: 64)
    let size = socklen_t(text.count)
    let result = unsafe copy.lend { name, length in
      unsafe getnameinfo(name, length.pointee, &text, size, nil, 0, NI_NUMERICHOST)
    }
    guard result == 0 else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The port; both families have it in the same place.
  public var port: UInt16 {
    unsafe withUnsafeBytes(of: storage) { bytes in
      UInt16(unsafe bytes[2]) << 8 | UInt16(unsafe bytes[3])
    }
  }

  /// Lends the bytes and their number to a call, which may change both.
  public mutating func lend<Product>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Product
  ) -> Product {
    unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        unsafe withUnsafeMutablePointer(to: &length) { length in unsafe body(name, length) }
      }
    }
  }

  private mutating func store<Name>(_ name: Name) {
    unsafe withUnsafeMutableBytes(of: &storage) { room in
      unsafe withUnsafeBytes(of: name) { bytes in unsafe room.copyMemory(from: bytes) }
    }
    length = socklen_t(MemoryLayout<Name>.size)
  }
}
