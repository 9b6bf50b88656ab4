internal import Netlink
internal import Nftables

/// A way to the packet filter that stays open while slower things are done.
///
/// What is removed is gone for packets at once, but the kernel frees it only when no processor can
/// be looking at it any more, some ten milliseconds later, and whoever closes a socket of this kind
/// before has to wait for that. To delete a link is the same wait. So remove first, delete the link
/// next, and close last, when there is nothing left to wait for. (Measured for a pod: 24 ms so, 36 ms
/// one after the other.) Where no such work is left to do, the last close is the kernel's: a plugin
/// that only removes elements ends in 1 ms instead of 7.
///
/// A socket that cannot be opened is told to those who want to use it.
public struct PacketFilterSession: ~Copyable {
  private let state: State

  private enum State: ~Copyable {
    case open(NetlinkSocket<NetfilterFamily>)
    case failed(NetlinkError)
  }

  deinit {
    switch state {
    case .open(let socket): socket.closeInBackground()
    case .failed: break
    }
  }

  /// Opens a way in the network namespace the thread stands in.
  public init() {
    do {
      state = .open(try NetlinkSocket<NetfilterFamily>())
    } catch {
      state = .failed(error)
    }
  }

  /// Does some work on the socket.
  ///
  /// - Throws: what the work throws, or why there is no socket.
  borrowing func work<Product>(
    _ body: (borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError) -> Product
  ) throws(NetlinkError) -> Product {
    switch state {
    case .open(let socket): return try body(socket)
    case .failed(let error): throw error
    }
  }

  /// Ends the session; it names the moment, which the end of a scope does not.
  public consuming func close() {}
}
