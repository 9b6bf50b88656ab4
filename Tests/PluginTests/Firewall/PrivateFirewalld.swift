import Glibc
import Linux
import TestSupport
import Testing

/// Debian's firewalld on a bus of its own, for one network namespace; both end with this value.
///
/// They see a file system in which /run, /var/log and /etc/firewalld are their own, and nothing
/// outside sees them. Should nobody end them, they end by themselves in two minutes.
final class PrivateFirewalld: Sendable {
  /// What tells a program where the bus is.
  let variables: [String: String]
  private let state: TemporaryDirectory

  /// Starts both, standing in the namespace that firewalld is to rule, and waits until it answers.
  init() throws {
    state = try TemporaryDirectory()
    let address = "unix:path=\(state.path("bus"))"
    variables = ["DBUS_SYSTEM_BUS_ADDRESS": address]
    try state.write(
      "bus.conf",
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>system</type><listen>\(address)</listen><auth>EXTERNAL</auth>
        <policy context="default">
          <allow user="*"/><allow own="*"/><allow send_destination="*"/>
          <allow receive_sender="*"/>
        </policy>
      </busconfig>
      """)
    let script = try state.write(
      "start",
      """
      #!/bin/sh
      cd "$1" || exit 1
      unshare --mount --propagation private sh -c '
        cp -r /etc/firewalld etc
        for directory in /run /var/log /etc/firewalld; do mount -t tmpfs none $directory; done
        cp -r etc/. /etc/firewalld/
        timeout 1200 dbus-daemon --config-file=bus.conf --nofork --nopidfile & echo $! > pids
        for i in $(seq 1000); do [ -S bus ] && break; sleep 0.05; done
        timeout 1200 /usr/sbin/firewalld --nofork --nopid & echo $! >> pids
      ' </dev/null >log 2>&1
      for i in $(seq 600); do
        busctl --system --auto-start=no call org.fedoraproject.FirewallD1 \
          /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1 getDefaultZone >/dev/null 2>&1 && exit 0
        sleep 0.1
      done
      cat log >&2
      exit 1
      """, mode: 0o755)
    let ran = try ChildProcess.run(
      script, arguments: [state.path],
      environment: Environment(
        variables.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]) { $1 }),
      limits: .init(time: .seconds(180)))
    guard ran.isSuccess else {
      end()
      throw TestProgram.Failure(
        "firewalld did not start: \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
  }

  deinit { end() }

  /// Ends both, and waits for firewalld to be gone.
  func end() {
    do {
      for pid in (try state.text("pids") ?? "").split(separator: "\n").compactMap({ pid_t($0) }) {
        _ = kill(pid, SIGTERM)
      }
      try state.write("pids", "")
    } catch {
      Issue.record("firewalld was not ended: \(error)")
    }
  }
}
