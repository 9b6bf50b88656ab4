import Addressing
import Linux
import Netlink
import Nftables
import Services

// servicebench: what services cost in the kernel: ours through the library, kube-proxy's classic
// shape through nft, in one run on one machine. It prints figures and asserts nothing.
//
//   servicebench [--classic COUNT,COUNT…]       how many services the classic shape is loaded with
//
// Each measurement has network namespaces of its own, which go with the program.

var classic: [Int] = [2_000]
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.count == 2, arguments[0] == "--classic" {
  classic = arguments[1].split(separator: ",").compactMap { Int($0) }
} else if !arguments.isEmpty {
  print("usage: servicebench [--classic COUNT,COUNT…]")
}

print("| what | figure |\n|---|---|")
for count in [1_000, 10_000, 40_000] {
  let time = try Load.ours(count)
  print("| load \(count) services × 3, ours | \(time.text) |")
}
for count in classic {
  let time = try Load.classic(count)
  print("| load \(count) services × 3, kube-proxy's classic shape by nft | \(time.text) |")
}
for count in [10, 10_000, 40_000] {
  let change = try Load.changes(count)
  print(
    "| endpoint added at \(count) services | median \(change.added.median.text), p99 "
      + "\(change.added.quantile(0.99).text) |")
  print(
    "| endpoint removed at \(count) services | median \(change.removed.median.text), p99 "
      + "\(change.removed.quantile(0.99).text) |")
}
// Turn by turn, so that what else goes on in the machine meets all alike.
let lab = try LatencyLab()
var latencies: [Int: [Duration]] = [:]
for _ in 0..<5 {
  for count in [0, 10, 40_000] {
    latencies[count, default: []] += try lab.firstPackets(services: count, times: 2_000)
  }
}
for count in [0, 10, 40_000] {
  let times = latencies[count] ?? []
  let what = count == 0 ? "straight to the pod" : "through one of \(count) services"
  print("| first packet \(what) | median \(times.median.text), p99 \(times.quantile(0.99).text) |")
}
let shares = try lab.shares(of: 3_000)
print("| 3 000 first packets over 3 endpoints | \(shares) |")
