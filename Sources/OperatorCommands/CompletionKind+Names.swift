internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import Linux

// What the shell offers when a word is completed. A failure offers nothing: the command itself will
// say what is wrong.

extension CompletionKind {
  /// The networks of the usual directory.
  static var networkNames: CompletionKind {
    .custom { (_: [String], _: Int, _: String) in
      let directory = Surroundings.real.variable("NETCONFPATH") ?? "/etc/cni/net.d"
      do throws(ProtocolError) {
        return try ConfigurationDirectory(path: directory).contents().lists.map(\.name.text)
      } catch {
        return []
      }
    }
  }

  /// The namespaces that `ip netns` has made.
  static var namespaceNames: CompletionKind {
    .custom { (_: [String], _: Int, _: String) in
      do throws(SystemError) {
        return try Directory.entries(of: "/run/netns")
      } catch {
        return []
      }
    }
  }
}
