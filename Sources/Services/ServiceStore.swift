internal import Linux

/// What this node knows of services, as files below `/run`: one for each service, with its definition
/// and its backends in the order of their buckets, and an index of who selects what.
///
/// It can be made anew from definitions and endpoint files at any time. Whoever changes the kernel
/// marks that first, and takes the mark away when the files say the same as the kernel: a mark that
/// is found tells of somebody who died between the two.
struct ServiceStore {
  let paths: ServicePaths

  private var mark: String { "\(paths.services)/unfinished" }
  private var stampFile: String { "\(paths.services)/stamp" }
  private var indexDirectory: String { "\(paths.services)/index" }
  private var serviceDirectory: String { "\(paths.services)/by-name" }
  /// Where there is a file for each service, each label or each address.
  var directories: [String] { [serviceDirectory, indexDirectory, claimDirectory] }
  private func path(_ name: ServiceName) -> String { "\(serviceDirectory)/\(name.fileName)" }

  /// Makes the directories, for root alone; the last one tells that all are there.
  func prepare() throws(SystemError) {
    guard try File.status(of: claimDirectory)?.kind != .directory else { return }
    for directory in [paths.run, paths.services, indexDirectory, serviceDirectory, claimDirectory] {
      try Directory.create(directory, mode: 0o700)
    }
  }

  /// The lock on all of it.
  func lock(timeout: Duration) throws(FileLockError) -> FileLock {
    try FileLock(at: "\(paths.services)/lock", timeout: timeout)
  }

  /// Where a file is written before it gets its name.
  ///
  /// Whoever writes has the lock, so one will do.
  private var draft: String { "\(paths.services)/draft" }

  /// Takes away what somebody was writing who died of it.
  func clearDraft() throws(SystemError) { try File.remove(draft) }

  // MARK: The state of the whole

  /// What the store was made from; nil if it is not as the kernel is.
  func stamp() throws(SystemError) -> StoreStamp? {
    guard try !hasMark() else { return nil }
    let bytes = try File.readIfPresent(stampFile, limit: 1 << 20)
    return bytes.flatMap { StoreStamp(String(decoding: $0, as: UTF8.self)) }
  }

  func writeStamp(_ stamp: StoreStamp) throws(SystemError) {
    try write(Array(stamp.text.utf8), stampFile)
  }

  /// Whether somebody died between a change of the kernel and one of the files.
  func hasMark() throws(SystemError) -> Bool { try File.status(of: mark) != nil }

  /// Notes that kernel and files may differ from now on.
  func setMark() throws(SystemError) { try write([], mark) }

  func clearMark() throws(SystemError) { try File.remove(mark) }

  // MARK: Services

  /// A service.
  func service(_ name: ServiceName) throws(SystemError) -> Found<ResolvedService> {
    let path = path(name)
    guard let bytes = try File.readIfPresent(path, limit: Self.limit) else { return .missing }
    do throws(DamagedFile) {
      return .found(try ResolvedService(parsing: bytes))
    } catch {
      return .damaged(path)
    }
  }

  /// All services, but for those whose files are damaged.
  func services() throws(SystemError) -> [ServiceName: ResolvedService] {
    var services: [ServiceName: ResolvedService] = [:]
    for file in try entries(of: serviceDirectory) {
      let parts = file.split(separator: ".").map(String.init)
      guard parts.count == 3, let name = ServiceName(namespace: parts[0], name: parts[1]) else {
        continue
      }
      if case .found(let service) = try service(name) { services[name] = service }
    }
    return services
  }

  func write(_ service: ResolvedService) throws(SystemError) {
    try write(service.bytes, path(service.service.name))
  }

  func remove(_ name: ServiceName) throws(SystemError) { try File.remove(path(name)) }

  // MARK: The index

  /// The services that select a pod, sorted; nil if the index is damaged.
  func names(selecting pod: PodIdentity) throws(SystemError) -> [ServiceName]? {
    var names: [ServiceName] = []
    for file in ServiceIndex.fileNames(for: pod) {
      let path = "\(indexDirectory)/\(file)"
      guard let bytes = try File.readIfPresent(path, limit: ServiceDocument.sizeLimit) else {
        continue
      }
      do throws(DamagedFile) {
        let entries = try [ServiceIndex.Entry](parsing: bytes)
        names += entries.filter { $0.selects(pod) }.map(\.name)
      } catch {
        return nil
      }
    }
    return Array(Set(names)).sorted()
  }

  /// Makes the index say this and no more.
  func write(_ index: ServiceIndex) throws(SystemError) {
    let present = Set(try entries(of: indexDirectory))
    for (file, services) in index.files {
      let path = "\(indexDirectory)/\(file)"
      let bytes = services.bytes
      if present.contains(file),
        try File.readIfPresent(path, limit: ServiceDocument.sizeLimit) == bytes
      {
        continue
      }
      try write(bytes, path)
    }
    for file in present where index.files[file] == nil {
      try File.remove("\(indexDirectory)/\(file)")
    }
  }

  // MARK: What outlives a reboot

  /// What services have; nil if nobody knows any more.
  func ledger() throws(SystemError) -> ServiceLedger? {
    let limit = ServiceDocument.sizeLimit
    guard let bytes = try File.readIfPresent(paths.ledger, limit: limit) else { return nil }
    do throws(DamagedFile) {
      return try ServiceLedger(parsing: bytes)
    } catch {
      return nil
    }
  }

  func write(_ ledger: ServiceLedger) throws(SystemError) {
    try Directory.create(paths.state, mode: 0o700)
    try File.replace(paths.ledger, with: ledger.bytes, draft: "\(paths.ledger).draft")
  }

  // MARK: The settings that held last

  var settingsFile: String { "\(paths.services)/settings.json" }

  func settingsBytes() throws(SystemError) -> [UInt8]? {
    try File.readIfPresent(settingsFile, limit: Self.limit)
  }

  func writeSettings(_ bytes: [UInt8]) throws(SystemError) { try write(bytes, settingsFile) }

  // MARK: Files

  /// The longest file of one service or endpoint.
  static let limit = 4 << 20

  /// A power cut takes all of `/run`, so nobody waits for a disk.
  func write(_ bytes: [UInt8], _ path: String) throws(SystemError) {
    try File.replace(path, with: bytes, flushed: false, draft: draft)
  }

  func entries(of directory: String) throws(SystemError) -> [String] {
    do throws(SystemError) {
      return try Directory.entries(of: directory)
    } catch {
      if error.errno == .noEntry || error.errno == .notDirectory { return [] }
      throw error
    }
  }
}

/// What a file turned out to be.
enum Found<Content> {
  case found(Content)
  case missing
  case damaged(String)
}
