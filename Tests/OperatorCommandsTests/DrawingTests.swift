import Testing

@testable import OperatorCommands

@Suite("The picture of a tried network")
struct DrawingTests {
  @Test("shows who is connected to whom, by which addresses")
  func draws() {
    let picture = TryPicture(
      outsideAddresses: ["192.0.2.1", "2001:db8::1"], uplink: "uplink",
      hostAddresses: ["192.0.2.2", "2001:db8::2"], bridge: "try0",
      bridgeAddresses: ["10.86.0.1/24", "fd00::1/64"],
      pods: [
        TryPicture.Pod(
          name: "pod-1", port: "veth01234567", interface: "eth0",
          addresses: ["10.86.0.2/24", "fd00::2/64"]),
        TryPicture.Pod(
          name: "pod-2", port: "veth89abcdef", interface: "eth0",
          addresses: ["10.86.0.3/24", "fd00::3/64"]),
      ])
    #expect(
      picture.drawing == """
          the world outside                  192.0.2.1   2001:db8::1
             │
             │   masquerade: what pods send out there carries the host's address
             │
          host, uplink                       192.0.2.2   2001:db8::2
             │
          bridge try0                        10.86.0.1/24   fd00::1/64
             │
             ├── veth01234567 ── eth0 pod-1  10.86.0.2/24   fd00::2/64
             │
             └── veth89abcdef ── eth0 pod-2  10.86.0.3/24   fd00::3/64
        """)
  }
}
