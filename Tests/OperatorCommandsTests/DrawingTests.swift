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

  @Test("shows who asks a service where, and who has answered how often")
  func drawsService() {
    var picture = TryServicePicture(
      service: "web",
      entrances: [
        TryServicePicture.Entrance(
          name: "host", addresses: ["10.96.0.10:80", "[fd5c:86d1:2a4e:96::10]:80"]),
        TryServicePicture.Entrance(
          name: "outside", addresses: ["192.0.2.2:30080", "[2001:db8:0:2::2]:30080"]),
      ],
      answers: [
        TryServicePicture.Answer(pod: "pod-1", count: 103),
        TryServicePicture.Answer(pod: "pod-2", count: 97),
      ])
    #expect(
      picture.drawing == """
          host ──── 10.96.0.10:80 ──────────────┐                 ┌─ pod-1 ████████ 103
                    [fd5c:86d1:2a4e:96::10]:80 ─┤                 │
                                                ├── service web ──┤
          outside ─ 192.0.2.2:30080 ────────────┤                 │
                    [2001:db8:0:2::2]:30080 ────┘                 └─ pod-2 ███████▌ 97
        """)
    picture.entrances[0].addresses = ["10.96.0.10:80"]
    picture.entrances[1].addresses = ["192.0.2.2:30080"]
    #expect(
      picture.drawing == """
          host ──── 10.96.0.10:80 ───┐                 ┌─ pod-1 ████████ 103
                                     ├── service web ──┤
          outside ─ 192.0.2.2:30080 ─┘                 └─ pod-2 ███████▌ 97
        """)
  }
}
