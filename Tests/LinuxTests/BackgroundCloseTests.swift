import Glibc
import Linux
import TestSupport
import Testing

@Suite("A file left to the kernel to close")
struct BackgroundCloseTests {
  @Test("is as open as ever until it is closed here, and then is closed for good")
  func close() throws {
    var ends: [Int32] = [-1, -1]
    try Syscall.check("socketpair") {
      unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
    }
    let near = OwnedDescriptor(adopting: ends[0])
    let far = OwnedDescriptor(adopting: ends[1])
    try BackgroundClose.leave(near.rawValue)
    try near.write([1, 2, 3])
    try near.close()
    // Its end is seen only when the kernel has closed it too; it would never come otherwise.
    #expect(try far.readToEnd(limit: 16) == [1, 2, 3])
  }

  @Test("must be one that is open")
  func absent() {
    let error = #expect(throws: SystemError.self) { try BackgroundClose.leave(-1) }
    #expect(error?.errno == .badDescriptor)
  }
}
