import Glibc
import Linux
import TestSupport
import Testing

@Suite("A send by a helper process", .endsWithinTheHour)
struct BackgroundSendTests {
  /// Two sockets that are each other's end.
  private struct Ends: ~Copyable {
    let near: OwnedDescriptor
    let far: OwnedDescriptor

    init() throws {
      var ends: [Int32] = [-1, -1]
      try Syscall.check("socketpair") {
        unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
      }
      near = OwnedDescriptor(adopting: ends[0])
      far = OwnedDescriptor(adopting: ends[1])
    }

    /// All that has been sent from the near end, which is closed.
    consuming func sent() throws -> [UInt8] {
      let far = far
      try near.close()
      return try far.readToEnd(limit: 1 << 24)
    }
  }

  @Test("arrives, and the helper ends and is forgotten")
  func arrives() throws {
    let ends = try Ends()
    let remembered: OwnedDescriptor
    do {
      let helper = try BackgroundSend([1, 2, 3], through: ends.near.rawValue)
      let end = helper.end
      #expect(try Readiness.wait(for: [end], timeout: .seconds(30)) == [0])
      remembered = OwnedDescriptor(adopting: dup(end.descriptor))
    }
    // By this value at the latest; one of another test may have waited for it first.
    #expect(try process(remembered.rawValue) == -1)
    #expect(try ends.sent() == [1, 2, 3])
  }

  /// The number of the process that a descriptor stands for; -1 when it has been waited for.
  private func process(_ descriptor: Int32) throws -> Int {
    let text = String(
      decoding: try File.read("/proc/self/fdinfo/\(descriptor)", limit: 4096), as: UTF8.self)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Pid:") })
    return try #require(Int(line.dropFirst(4).drop { $0 == "\t" }))
  }

  @Test("keeps nothing open but its socket, and nobody waiting")
  func closesAll() throws {
    let ends = try Ends()
    let number = ends.near.rawValue
    var sent = 0
    let block = [UInt8](repeating: 7, count: 4096)
    while true {
      let count = unsafe send(number, block, block.count, Int32(MSG_DONTWAIT))
      if count == -1 { break }
      sent += count
    }
    let stream = try Ends()
    // There is no room for more, so the helper stays.
    let helper = try BackgroundSend([1, 2, 3], through: number)
    // Its end would never be seen if the helper held it.
    #expect(try stream.sent() == [])
    let end = helper.end
    #expect(try Readiness.wait(for: [end], timeout: .zero) == [])
    #expect(try ends.sent().suffix(3) == [1, 2, 3])
    #expect(try Readiness.wait(for: [end], timeout: .seconds(30)) == [0])
    #expect(sent > 0)
  }

  @Test("ends also when nothing can be sent")
  func badDescriptor() throws {
    let helper = try BackgroundSend([1], through: -1)
    let end = helper.end
    #expect(try Readiness.wait(for: [end], timeout: .seconds(30)) == [0])
  }
}
