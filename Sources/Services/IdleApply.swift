internal import Addressing
internal import JSON
internal import Linux

/// What an apply told that refused nothing, and in which scene it had found everything.
///
/// If that apply changed any file, the scene has never come back, and this counts for nothing. What
/// it did to the kernel alone is no harm: then the kernel's part has not come back.
struct IdleApply: Hashable {
  let definitions: String
  let store: String
  let kernel: String
  let services: Int
  let endpoints: Int
  /// What definitions, settings and endpoint files gave cause to say.
  let notices: [String]
  /// The addresses of balancers, whether or not they are on a link of this node.
  let balancers: Set<IPAddress>
}

extension IdleApply {
  init(_ scene: ServiceScene, _ report: ServiceReport) {
    self.init(
      definitions: scene.definitions, store: scene.store, kernel: scene.kernel,
      services: report.services, endpoints: report.endpoints, notices: report.lastingNotices,
      balancers: report.balancers)
  }

  init(parsing bytes: [UInt8]) throws(DamagedFile) {
    let fields = try JSONFields(storedIn: bytes)
    definitions = try fields.storedText("definitions")
    store = try fields.storedText("store")
    kernel = try fields.storedText("kernel")
    services = try fields.storedCount("services")
    endpoints = try fields.storedCount("endpoints")
    notices = try fields.storedTexts("notices")
    balancers = Set(try fields.storedAddresses("balancers"))
  }

  var bytes: [UInt8] {
    JSONWriter.write(
      [
        "definitions": .string(definitions), "store": .string(store), "kernel": .string(kernel),
        "services": .integer(services), "endpoints": .integer(endpoints),
        "notices": .array(notices.map(JSONValue.string)),
        "balancers": .addresses(balancers.sorted()),
      ], style: .indented(1))
  }
}

extension JSONFields {
  fileprivate func storedCount(_ key: String) throws(DamagedFile) -> Int {
    let count: Int?
    do throws(JSONFieldError) { count = try integer(key) } catch { throw DamagedFile() }
    guard let count else { throw DamagedFile() }
    return count
  }
}

extension ServiceStore {
  private var idleFile: String { "\(paths.services)/idle" }

  /// What the last apply told; nil if it had to refuse something, or nobody knows.
  func idleApply() throws(SystemError) -> IdleApply? {
    guard let bytes = try File.readIfPresent(idleFile, limit: Self.limit) else { return nil }
    do throws(DamagedFile) {
      return try IdleApply(parsing: bytes)
    } catch {
      return nil
    }
  }

  /// Remembers it, unless it had more to say than is read again.
  func write(_ idle: IdleApply) throws(SystemError) {
    let bytes = idle.bytes
    if bytes.count <= Self.limit { try write(bytes, idleFile) }
  }

  /// What files that change now are stamped with.
  func moment() throws(SystemError) -> FileStamp {
    let path = "\(paths.services)/moment"
    try write([], path)
    let status = try File.status(of: path)
    try File.remove(path)
    // If somebody else has removed it, nothing counts as older.
    return status?.changed ?? FileStamp(seconds: 0, nanoseconds: 0)
  }
}
