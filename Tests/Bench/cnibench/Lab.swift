import CLinux
import Glibc

/// A host of our own: mounts and network of this process alone, gone when it ends.
struct Lab {
  /// The directory on the host's disk in which plugins keep their leases.
  let state: String
  let podCount: Int

  /// Leaves the host's namespaces for good and makes the pods' ones.
  init(state: String, podCount: Int) throws(BenchError) {
    self.state = state
    self.podCount = podCount
    guard unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 else { throw .system("unshare (root?)") }
    // What is mounted from here on stays here.
    try mount("none", on: "/", flags: MS_REC | MS_PRIVATE)
    // An own /run: pods' namespaces, and the lock that iptables takes.
    try mount("tmpfs", on: "/run", type: "tmpfs")
    try makeDirectory("/run/netns")
    try Launch.require("ip", "link", "set", "lo", "up")
    try makeNamespaces()
  }

  /// The path of a pod's network namespace.
  func namespace(_ pod: Int) -> String { "/run/netns/pod-\(pod)" }

  private func makeNamespaces() throws(BenchError) {
    let home = unsafe open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)
    guard home >= 0 else { throw .system("own namespace") }
    defer { close(home) }
    for pod in 0..<podCount {
      try writeText("", to: namespace(pod))
      guard unshare(CLONE_NEWNET) == 0 else { throw .system("namespace of pod \(pod)") }
      try mount("/proc/self/ns/net", on: namespace(pod), flags: MS_BIND)
      guard setns(home, CLONE_NEWNET) == 0 else { throw .system("way home") }
    }
  }
}

private func mount(_ source: String, on target: String, type: String? = nil, flags: Int = 0)
  throws(BenchError)
{
  guard unsafe Glibc.mount(source, target, type, UInt(flags), nil) == 0 else {
    throw .system("mount on \(target)")
  }
}
