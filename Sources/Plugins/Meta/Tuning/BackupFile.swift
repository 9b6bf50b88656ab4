import Addressing
import CNI
import JSON
import Linux
import Plumbing

/// What an interface was like before an attachment had it changed, kept until DEL.
///
/// The file is upstream's to the byte. What upstream's form has no room for, which network it
/// belongs to, in which namespace the interface is and which settings of the kernel it had, lies in a
/// second file in the side directory `.swift-cni`, below the name of the network.
struct BackupFile {
  private let directory: String
  private let sideDirectory: String
  private let name: String

  /// The files of one attachment.
  init(_ attachment: Attachment, in directory: String) {
    self.init(
      Self.name(ValidAttachment(container: attachment.container, interface: attachment.interface)),
      of: attachment.network, in: directory)
  }

  private init(_ name: String, of network: NetworkName, in directory: String) {
    self.directory = directory
    sideDirectory = "\(directory)/.swift-cni/\(network.text)"
    self.name = name
  }

  /// Where upstream's file lies.
  private var path: String { "\(directory)/\(name)" }
  private var sidePath: String { "\(sideDirectory)/\(name)" }

  private static func name(_ attachment: ValidAttachment) -> String {
    "\(attachment.container.text)_\(attachment.interface.text).json"
  }

  /// Which directory the configuration means: key `dataDir`.
  ///
  /// - Throws: `ProtocolError` for a path that depends on where the plugin stands.
  static func directory(_ request: Request) throws(ProtocolError) -> String {
    let text = try request.configuration.fields.read { fields throws(JSONFieldError) in
      try fields.text("dataDir") ?? ""
    }
    guard text.isEmpty || text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0) else {
      throw ProtocolError(
        .invalidConfiguration, "dataDir: \"\(text)\" is no absolute path",
        details: "leave it out for \(UsualPlaces.tuningBackups)")
    }
    return text.isEmpty ? UsualPlaces.tuningBackups : text
  }

  // MARK: Reading

  /// What both files say; nil when neither is there.
  ///
  /// A damaged file says nothing, which is logged: a container must not stay for ever because of it.
  ///
  /// - Throws: `ProtocolError` when it cannot be told what is there.
  func read(_ log: (String) -> Void) throws(ProtocolError) -> TunedState? {
    let main = try document(path, log)
    let side = try document(sidePath, log)
    guard main != nil || side != nil else { return nil }
    return TunedState(
      link: LinkSettings(main ?? [:]), settings: TunedState.settings(in: side ?? [:]),
      peerMTU: TunedState.peerMTU(in: side ?? [:]), namespace: side?["namespace"]?.textValue)
  }

  private func document(
    _ path: String, _ log: (String) -> Void
  ) throws(ProtocolError) -> JSONObject? {
    guard let bytes = try bytes(path) else { return nil }
    do throws(JSONParseError) {
      if let document = try JSONParser.parse(bytes).objectValue { return document }
      log("\(path) holds no object; what it should say is not restored")
    } catch {
      log("\(path) is damaged, so what it should say is not restored: \(error)")
    }
    return [:]
  }

  private func bytes(_ path: String) throws(ProtocolError) -> [UInt8]? {
    do throws(SystemError) {
      return try File.readIfPresent(path, limit: 1 << 20)
    } catch {
      throw ProtocolError(error)
    }
  }

  // MARK: Writing

  /// The files as they are at a moment, to be put back.
  struct Picture {
    fileprivate let main: [UInt8]?
    fileprivate let side: [UInt8]?
  }

  /// What the files hold now.
  func picture() throws(ProtocolError) -> Picture {
    Picture(main: try bytes(path), side: try bytes(sidePath))
  }

  /// Writes both files, each whole or not at all, for nobody but root to read.
  func write(_ state: TunedState) throws(ProtocolError) {
    // The side file first: by it GC finds the other one.
    try put(JSONWriter.write(.object(state.sideDocument)), at: sidePath, in: sideDirectory)
    guard !state.link.isEmpty else { return }
    try put(
      JSONWriter.write(.object(state.link.document), style: .indented(1)), at: path, in: directory)
  }

  /// Puts the files back as they were.
  func restore(_ picture: Picture) throws(ProtocolError) {
    for (bytes, path, directory) in [
      (picture.main, path, directory), (picture.side, sidePath, sideDirectory),
    ] {
      if let bytes { try put(bytes, at: path, in: directory) } else { try remove(path) }
    }
  }

  /// Removes both files; those that are gone are no error.
  func remove() throws(ProtocolError) {
    try remove(path)
    try remove(sidePath)
  }

  private func put(
    _ bytes: [UInt8], at path: String, in directory: String
  ) throws(ProtocolError) {
    do throws(SystemError) {
      try Directory.create(directory, mode: 0o700)
      // A power cut ends the container too, so nobody waits for the name to be on the disk.
      try Self.publish(bytes, at: path, in: directory)
    } catch {
      throw ProtocolError(
        ProtocolError(error).code, "failed to save what is to be restored: \(error)",
        details: "\"dataDir\" names the directory")
    }
  }

  /// Gives a new file its name when it is complete, so that nothing stays of an ADD that is killed.
  private static func publish(
    _ bytes: [UInt8], at path: String, in directory: String
  ) throws(SystemError) {
    do throws(SystemError) {
      let file = try UnnamedFile(in: directory)
      try file.descriptor.write(bytes)
      // What is restored after a power cut of a disk alone must not be empty.
      try file.finishWriteback()
      try file.link(as: path)
    } catch {
      // It is there already, or the file system has no unnamed files.
      guard [.exists, .notSupported, .isDirectory, .invalid].contains(error.errno) else {
        throw error
      }
      try File.replace(path, with: bytes, mode: 0o600, flushed: false)
    }
  }

  private func remove(_ path: String) throws(ProtocolError) {
    do throws(SystemError) {
      try File.remove(path)
    } catch {
      guard error.errno == .notDirectory else { throw ProtocolError(error) }
    }
  }

  // MARK: Garbage

  /// The files of a network's attachments that are no more.
  ///
  /// - Throws: `ProtocolError` when the side directory cannot be read.
  static func garbage(
    of network: NetworkName, keeping valid: Set<ValidAttachment>, in directory: String
  ) throws(ProtocolError) -> [BackupFile] {
    let kept = Set(valid.map(name))
    do throws(SystemError) {
      let names = try Directory.entries(of: "\(directory)/.swift-cni/\(network.text)")
      return names.filter { !kept.contains($0) }.map { BackupFile($0, of: network, in: directory) }
    } catch {
      if error.errno == .noEntry { return [] }
      throw ProtocolError(error)
    }
  }
}
