import Addressing
import CNI
import CNIRuntime
import JSON
import Linux
import TestSupport
import Testing

@Suite("The result cache")
struct ResultCacheTests {
  @Test("writes the bytes that upstream's library writes", arguments: ["rich", "plain"])
  func writesUpstreamsBytes(name: String) throws {
    let golden = try Golden.text("cache-\(name).json")
    let directory = try TemporaryDirectory()
    let file = try directory.write("results/\(networks[name] ?? "")-c1-eth0", golden)
    let cache = ResultCache(below: directory.path)
    let contents = try cache.contents()
    let remembered = contents.attachments
    try #require(remembered.count == 1 && contents.brokenFiles.isEmpty)
    try File.remove(file)
    try cache.store(remembered[0])
    #expect(try directory.text("results/\(networks[name] ?? "")-c1-eth0") == golden)
    #expect(try File.status(of: file)?.mode == 0o600)
  }

  @Test("reads what upstream's library has written")
  func readsUpstreamsFiles() throws {
    let directory = try TemporaryDirectory()
    try directory.write("results/golden-c1-eth0", try Golden.text("cache-rich.json"))
    let cache = ResultCache(below: directory.path)
    let cached = try #require(try cache.attachment(attachment("golden", "c1")))
    #expect(cached.source == (try Golden.bytes("golden.conflist")))
    #expect(cached.arguments.arguments.map(\.key) == ["IgnoreUnknown", "K8S_POD_NAME"])
    #expect(cached.arguments.capabilities["mac"] == "02:00:00:00:00:01")
    let result = try #require(try cached.readResult())
    #expect(result.addresses.map(\.address.description) == ["10.1.2.3/24"])
    #expect(result.dns.nameservers == ["9.9.9.9"])
    // This library did not remember the namespace; the plugin has told it.
    #expect(cached.arguments.namespacePath == "")
    #expect(cached.namespacePath == "/var/run/netns/x")
  }

  @Test("is made with its directory open to nobody else, and forgets")
  func storesAndForgets() throws {
    let directory = try TemporaryDirectory()
    let cache = ResultCache(below: directory.path("cni"))
    let cached = try example("n", "c")
    try cache.store(cached)
    #expect(try File.status(of: cache.directory)?.mode == 0o700)
    #expect(try cache.attachment(cached.attachment) == cached)
    #expect(try Directory.entries(of: cache.directory) == ["n-c-eth0"])
    try cache.remove(cached.attachment)
    try cache.remove(cached.attachment)
    #expect(try cache.attachment(cached.attachment) == nil)
  }

  @Test("keeps the namespace between the network's name and the arguments, as upstream 1.3 does")
  func namespaceHasItsPlace() throws {
    let directory = try TemporaryDirectory()
    let cache = ResultCache(below: directory.path)
    try cache.store(try example("n", "c", namespace: "/run/netns/x"))
    let text = try directory.text("results/n-c-eth0")
    #expect(text?.contains(#""networkName":"n","netns":"/run/netns/x","result":{"#) == true)
  }

  @Test("does not take one attachment for another that shares its file name")
  func sharedNames() throws {
    let directory = try TemporaryDirectory()
    let cache = ResultCache(below: directory.path)
    try cache.store(try example("a-b", "c"))
    #expect(try cache.path(of: attachment("a", "b-c")) == cache.path(of: attachment("a-b", "c")))
    #expect(try cache.attachment(attachment("a", "b-c")) == nil)
    #expect(try cache.result(of: attachment("a", "b-c"), in: .v1_0_0) == nil)
    #expect(try cache.attachment(attachment("a-b", "c")) != nil)
  }

  @Test("gives the bare result of the older form, and converts results")
  func olderForm() throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      "results/n-c-eth0",
      #"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.1.2.3/24"}],"dns":{}}"#)
    let cache = ResultCache(below: directory.path)
    let result = try #require(try cache.result(of: attachment("n", "c"), in: .v1_0_0))
    #expect(
      JSONWriter.text(.object(result), sortedKeys: true)
        == #"{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.3/24"}]}"#)
    #expect(try cache.contents().attachments.isEmpty)
  }

  @Test("tells a broken file and reads the others")
  func brokenFiles() throws {
    let directory = try TemporaryDirectory()
    let cache = ResultCache(below: directory.path)
    try cache.store(try example("n", "good"))
    let broken = try directory.write("results/n-bad-eth0", "{")
    let contents = try cache.contents()
    #expect(contents.attachments.map(\.arguments.container.text) == ["good"])
    #expect(contents.brokenFiles.map(\.path) == [broken])
  }

  private let networks = ["rich": "golden", "plain": "plain"]

  private func attachment(_ network: String, _ container: String) throws -> CNI.Attachment {
    CNI.Attachment(
      network: try NetworkName(network), container: try ContainerID(container),
      interface: try InterfaceName("eth0"))
  }

  private func example(
    _ network: String, _ container: String, namespace: String = ""
  ) throws -> CachedAttachment {
    CachedAttachment(
      network: try NetworkName(network),
      arguments: AttachmentArguments(
        container: try ContainerID(container), namespacePath: namespace,
        interface: try InterfaceName("eth0")),
      source: Array("source".utf8), result: ["cniVersion": "1.0.0"])
  }
}
