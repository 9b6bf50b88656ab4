internal import Addressing
public import CNI
public import JSON
internal import Linux

/// What runtimes remember of their ADDs, for CHECK, DEL and GC.
///
/// The files are those of upstream's library, so that a runtime and `cnictl` know each other's
/// attachments; but they are put in place whole, and a file is only believed about the attachment
/// that it names itself, as two attachments can share a file name.
public struct ResultCache: Hashable, Sendable {
  /// The directory of the files, usually `/var/lib/cni/results`.
  public let directory: String

  /// The longest file that is read, in bytes.
  public static let fileLimit = 16 << 20

  /// A cache below a directory; it is made when it is first needed.
  ///
  /// - Parameter directory: the parent of the directory `results`.
  public init(below directory: String = "/var/lib/cni") {
    self.directory = directory + "/results"
  }

  /// A file of the cache that cannot be read.
  public struct BrokenFile: Hashable, Sendable {
    /// Where it is.
    public let path: String
    /// What is wrong with it.
    public let reason: ProtocolError
  }

  /// Everything that is remembered.
  public struct Contents: Hashable, Sendable {
    /// The attachments, sorted by their file names.
    public var attachments: [CachedAttachment] = []
    /// The files that could not be read.
    public var brokenFiles: [BrokenFile] = []
  }

  /// Where an attachment is remembered.
  public func path(of attachment: Attachment) -> String {
    "\(directory)/\(attachment.network)-\(attachment.container)-\(attachment.interface.text)"
  }

  /// Remembers an attachment, complete or not at all.
  ///
  /// - Throws: ``ProtocolError`` of code 5 or 11.
  public func store(_ cached: CachedAttachment) throws(ProtocolError) {
    do throws(SystemError) {
      try Directory.create(directory, mode: 0o700)
      try File.replace(path(of: cached.attachment), with: cached.file, mode: 0o600)
    } catch {
      throw ProtocolError(error)
    }
  }

  /// What is remembered of an attachment.
  ///
  /// - Returns: `nil` when there is nothing, or only something about another attachment whose file
  ///   has the same name.
  /// - Throws: ``ProtocolError`` for a file that cannot be read.
  public func attachment(_ attachment: Attachment) throws(ProtocolError) -> CachedAttachment? {
    guard let bytes = try bytes(of: path(of: attachment)),
      let cached = try CachedAttachment(file: bytes), cached.attachment == attachment
    else { return nil }
    return cached
  }

  /// The result remembered of an attachment, also from a file of the older form.
  ///
  /// - Parameters:
  ///   - attachment: the attachment.
  ///   - version: the version it shall be in.
  /// - Returns: `nil` when none is remembered.
  /// - Throws: ``ProtocolError`` for a file that cannot be read, and a result that the version
  ///   cannot express.
  public func result(
    of attachment: Attachment, in version: SpecVersion
  ) throws(ProtocolError) -> JSONObject? {
    guard let bytes = try bytes(of: path(of: attachment)) else { return nil }
    let document: JSONObject
    if let cached = try CachedAttachment(file: bytes) {
      guard cached.attachment == attachment, let result = cached.result else { return nil }
      document = result
    } else {
      document = try JSONObject(document: bytes)
    }
    let result = try PluginResult(printed: document, orElse: version)
    return try result.document(for: version)
  }

  /// Forgets an attachment; one that was not remembered is no error.
  ///
  /// - Throws: ``ProtocolError`` when the file cannot be removed.
  public func remove(_ attachment: Attachment) throws(ProtocolError) {
    do throws(SystemError) {
      try File.remove(path(of: attachment))
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Everything that is remembered; a file that cannot be read does not stop it.
  ///
  /// Files of the older form are passed over: they do not say whose they are.
  ///
  /// - Returns: the attachments and the broken files.
  /// - Throws: ``ProtocolError`` when the directory cannot be read; that there is none is no error.
  public func contents() throws(ProtocolError) -> Contents {
    var contents = Contents()
    for name in try names() {
      let path = "\(directory)/\(name)"
      do throws(ProtocolError) {
        if let bytes = try bytes(of: path), let cached = try CachedAttachment(file: bytes) {
          contents.attachments.append(cached)
        }
      } catch {
        contents.brokenFiles.append(BrokenFile(path: path, reason: error))
      }
    }
    return contents
  }

  private func names() throws(ProtocolError) -> [String] {
    do throws(SystemError) {
      // A leading dot marks what is being written.
      return try Directory.entries(of: directory).filter { !$0.hasPrefix(".") }
    } catch {
      if error.errno == .noEntry { return [] }
      throw ProtocolError(error)
    }
  }

  private func bytes(of path: String) throws(ProtocolError) -> [UInt8]? {
    do throws(SystemError) {
      return try File.readIfPresent(path, limit: ResultCache.fileLimit)
    } catch {
      throw ProtocolError(error)
    }
  }
}

extension ResultCache.BrokenFile: CustomStringConvertible {
  /// Path and reason.
  public var description: String { "\(path): \(reason)" }
}
