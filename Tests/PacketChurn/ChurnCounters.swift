/// What the kernel has counted of the stream: first and last on the node, outside, and where queues
/// were full.
struct ChurnCounters: Equatable {
  /// Datagrams to services as they came to the node.
  var arrived = 0
  /// Datagrams as they left the node, by pod.
  var forwarded = [0, 0, 0, 0]
  /// Answers as they came to the node and left it, by pod.
  var answered = [0, 0, 0, 0]
  var returned = [0, 0, 0, 0]
  /// Answers that left as those of the pod itself, by pod.
  var untranslated = [0, 0, 0, 0]
  /// How often outside was told that nobody is there.
  var refused = 0
  /// Frames and datagrams for which queues of node, pods and outside had no room.
  var overflowed = 0

  /// Counts before anything on the node has seen a packet, and after everything but the driver.
  static var ofNode: String {
    let pods = 0...ChurnNode.stranger
    let names = ["forwarded", "answered", "returned", "untranslated"]
    return """
      table inet churn {
        counter arrived { }
        \(names.flatMap { name in pods.map { "counter \(name)\($0) { }" } }.joined(separator: "\n"))
        chain first {
          type filter hook prerouting priority -400;
          iifname out udp dport { 80, 30080 } counter name arrived
          \(pods.map { "iifname pod\($0) udp sport 9090 counter name answered\($0)" }.joined(separator: "\n"))
        }
        chain last {
          type filter hook postrouting priority 400;
          \(pods.map { "oifname pod\($0) udp dport 9090 counter name forwarded\($0)" }.joined(separator: "\n"))
          \(pods.map { "iifname pod\($0) oifname out udp sport { 80, 30080 } counter name returned\($0)" }.joined(separator: "\n"))
          \(pods.map { "iifname pod\($0) oifname out udp sport 9090 counter name untranslated\($0)" }.joined(separator: "\n"))
        }
      }
      """
  }

  /// Counts refusals.
  static var ofOutside: String {
    """
    table inet churn {
      counter refused { }
      chain first {
        type filter hook input priority 0;
        icmp type destination-unreachable counter name refused
        icmpv6 type destination-unreachable counter name refused
      }
    }
    """
  }

  init(of churn: ChurnNode) throws {
    let pods = churn.pods.indices
    let node = try Self.counters(of: churn.node)
    arrived = node["arrived"] ?? 0
    forwarded = pods.map { node["forwarded\($0)"] ?? 0 }
    answered = pods.map { node["answered\($0)"] ?? 0 }
    returned = pods.map { node["returned\($0)"] ?? 0 }
    untranslated = pods.map { node["untranslated\($0)"] ?? 0 }
    refused = try Self.counters(of: churn.outside)["refused"] ?? 0
    for host in [churn.node, churn.outside] + churn.pods {
      overflowed += try Self.overflows(of: host)
    }
  }

  /// What came to the node and did not leave it: datagrams to anybody, answers of pods that stay.
  ///
  /// Answers of one that has just gone may find nobody any more who would translate them back.
  var lost: Int {
    ChurnNode.staying.reduce(arrived - forwarded.reduce(0, +)) { sum, pod in
      sum + answered[pod] - returned[pod]
    }
  }

  /// The packets of counters, by name.
  private static func counters(of host: ChurnHost) throws -> [String: Int] {
    let text = try host.program("/usr/sbin/nft", ["list", "counters", "table", "inet", "churn"])
    let words = text.split { $0.isWhitespace }
    var counts: [String: Int] = [:]
    // counter NAME { packets NUMBER bytes NUMBER }
    for place in words.indices where words[place] == "packets" && place >= 2 {
      counts[String(words[place - 2])] = Int(words[place + 1])
    }
    return counts
  }

  /// What the queue of a processor before a link, or that of a socket, could not take.
  private static func overflows(of host: ChurnHost) throws -> Int {
    let files = [
      "/proc/thread-self/net/dev", "/proc/thread-self/net/snmp", "/proc/thread-self/net/snmp6",
    ]
    let lines = try host.program("/usr/bin/cat", files).split(separator: "\n")
      .map { $0.split { $0.isWhitespace } }
    var sum = 0
    var title: [Substring] = []
    for words in lines {
      switch words.first {
      // bytes, packets, errs, drop
      case "eth0:", "out:", "pod0:", "pod1:", "pod2:", "pod3:": sum += Int(words[4]) ?? 0
      case "Udp6RcvbufErrors": sum += Int(words[1]) ?? 0
      case "Udp:":
        if let place = title.firstIndex(of: "RcvbufErrors") { sum += Int(words[place]) ?? 0 }
        title = words
      default: continue
      }
    }
    return sum
  }
}
