import Linux
import Testing

@Suite("The standard streams")
struct StandardStreamsTests {
  @Test("are open before anything else is, whatever the caller closed")
  func areRepaired() async throws {
    await #expect(processExitsWith: .success) {
      for number: Int32 in [0, 1, 2] {
        let stream = OwnedDescriptor(adopting: number)
        try? stream.close()
      }
      StandardStreams.repair()
      // The first number that is free shows that 0 to 2 are not.
      let next = try File.open("/proc/version")
      let number = next.rawValue
      if number < 3 { throw SystemError(operation: "repair", subject: "", errno: .badDescriptor) }
      try StandardStreams.writeOutput([65])
    }
  }
}
