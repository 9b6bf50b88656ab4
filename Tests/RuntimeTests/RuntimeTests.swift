import Linux
import TestSupport
import Testing

/// Each runtime works in a host of its own: private processes, mounts and network (Lab/lab.sh).
@Suite("A container runtime on our network", .needsRoot, .endsWithinTheHour)
struct RuntimeTests {
  @Test("gets pods that reach each other and leave nothing behind", arguments: ContainerRuntime.all)
  func works(_ runtime: ContainerRuntime) async throws {
    let missing = runtime.missingPrograms
    guard missing.isEmpty else {
      // install.sh test installs them all, so without them the test proves nothing.
      Issue.record("not on this host: \(missing.joined(separator: ", "))")
      return
    }
    let program = try BuiltProgram.cni()
    let outcome = try await OwnThread.run {
      try ChildProcess.run(
        "/bin/sh",
        arguments: [BuiltProgram.source("Tests/RuntimeTests/Lab/lab.sh"), runtime.name, program],
        environment: .current(), limits: ChildProcess.Limits(time: .seconds(300)))
    }
    let told = String(decoding: outcome.output + outcome.diagnostics, as: UTF8.self)
    #expect(outcome.isSuccess, "\(told)")
  }
}

/// A runtime, and the programs that it is made of.
struct ContainerRuntime: Sendable, CustomTestStringConvertible {
  let name: String
  let testDescription: String
  let programs: [String]

  static let all = [
    ContainerRuntime(
      name: "cnitool", testDescription: "cnitool, built from Debian's source package",
      programs: ["/usr/bin/go", "/usr/share/gocode/src/github.com/containernetworking/cni"]),
    ContainerRuntime(
      name: "podman", testDescription: "Podman 4.3 with its CNI backend",
      programs: ["/usr/bin/podman", "/usr/bin/conmon", "/usr/bin/crun"]),
    ContainerRuntime(
      name: "containerd", testDescription: "containerd 1.6 and ctr run --cni",
      programs: ["/usr/bin/containerd", "/usr/bin/ctr", "/usr/sbin/runc"]),
    ContainerRuntime(
      name: "cri", testDescription: "containerd 1.6 as a kubelet asks it",
      programs: [
        "/usr/bin/containerd", "/usr/bin/ctr", "/usr/sbin/runc",
        "/usr/lib/python3/dist-packages/grpc",
      ]),
  ]

  var missingPrograms: [String] {
    (programs + ["/usr/bin/busybox", "/usr/bin/ping", "/usr/sbin/nft"]).filter {
      do {
        return try File.status(of: $0) == nil
      } catch {
        return true
      }
    }
  }
}
