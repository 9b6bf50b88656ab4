internal import CNI

/// What the keepers of an attachment have to say, with its name before it.
struct AttachmentLog {
  let attachment: Attachment
  let context: DaemonContext

  /// Says a line.
  func write(_ line: String) {
    context.log("\(attachment): \(line)")
  }

  /// Does something whose failure stops nothing: what was not done now is done again later.
  func attempt(_ what: String, _ body: () throws(ProtocolError) -> Void) {
    do throws(ProtocolError) { try body() } catch { write("\(what): \(error)") }
  }
}
