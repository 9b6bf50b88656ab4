import Linux
import TestSupport
import Testing

@Suite("A sender of frames", .needsRoot)
struct FrameSenderTests {
  @Test("sends what it is given, from the link's own hardware address")
  func sends() throws {
    let host = try FreshNamespace()
    let frame = try host.run {
      try Self.ip("link add one address 02:00:00:00:00:01 type veth peer name two")
      for link in ["one", "two"] { try Self.ip("link set \(link) up") }
      // 0x88b5 is for experiments (IEEE 802); nobody else speaks it.
      let ear = try FrameSocket(0x88b5, on: "two", patience: .milliseconds(200))
      let index = try #require(try InterfaceIndex.find("one"))
      let sender = try FrameSender()
      // The first ones are lost until the kernel has noticed that both ends are up.
      for _ in 0..<100 {
        try sender.send([1, 2, 3], 0x88b5, to: [2, 0, 0, 0, 0, 2], byLink: index)
        if let frame = try ear.next() { return frame }
      }
      return []
    }
    #expect(frame == [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 1, 2, 3])
  }

  @Test("says that a link is off, or not there")
  func refuses() throws {
    let errors = try FreshNamespace.run {
      try Self.ip("link add one type veth peer name two")
      let off = try #require(try InterfaceIndex.find("one"))
      let sender = try FrameSender()
      var errors: [Errno?] = []
      for index in [off, 4711] {
        let error = #expect(throws: SystemError.self) {
          try sender.send([1], 0x88b5, to: [2, 0, 0, 0, 0, 2], byLink: index)
        }
        errors.append(error?.errno)
      }
      return errors
    }
    #expect(errors == [.networkDown, .noDeviceOrAddress])
  }

  private static func ip(_ line: String) throws {
    let ran = try ChildProcess.run(
      "/usr/sbin/ip", arguments: line.split(separator: " ").map(String.init),
      environment: .current())
    #expect(ran.isSuccess)
  }
}
