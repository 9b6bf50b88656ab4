import Linux
import Testing

@testable import Netlink

/// Datagrams as the kernel would write them, byte by byte.
enum Said {
  static func message(
    _ type: UInt16, flags: UInt16 = 0, sequence: UInt32, port: UInt32 = 77, _ payload: [UInt8] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(native: UInt32(16 + payload.count))
    bytes.append(native: type)
    bytes.append(native: flags)
    bytes.append(native: sequence)
    bytes.append(native: port)
    return bytes + payload + [UInt8](repeating: 0, count: -payload.count & 3)
  }

  /// A capped verdict with attributes after it.
  static func verdict(
    _ number: Int32, sequence: UInt32, port: UInt32 = 77, sentence: String? = nil,
    offset: UInt32? = nil
  ) -> [UInt8] {
    var writer = AttributeWriter()
    writer.fixed(number)
    writer.fixed(bytes: [UInt8](repeating: 0, count: 16))
    if let sentence { writer.text(1, sentence) }
    if let offset { writer.uint32(2, offset) }
    let flags: UInt16 = 0x100 | (sentence == nil && offset == nil ? 0 : 0x200)
    return message(2, flags: flags, sequence: sequence, port: port, writer.bytes)
  }

  static func done(sequence: UInt32, _ number: Int32 = 0, flags: UInt16 = 2) -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(native: number)
    return message(3, flags: flags, sequence: sequence, payload)
  }
}

@Suite("Answers")
struct AnswerTests {
  private func request(_ answer: Message.Answer) -> Message {
    Message(100, answer: answer, operation: "do it") { _ in }
  }

  private func collector(_ answers: Message.Answer...) -> AnswerCollector {
    AnswerCollector(to: answers.map(request), firstSequence: .max, port: 77)
  }

  @Test("are tied to their requests by sequence, in whatever order, past the highest number")
  func tiesBySequence() throws {
    var collector = collector(.acknowledgement, .reply, .acknowledgement)
    collector.receive(Said.verdict(-17, sequence: 1))
    #expect(!collector.isComplete)
    collector.receive(Said.message(20, sequence: 0, [1, 2, 3, 4]))
    #expect(!collector.isComplete)
    collector.receive(Said.verdict(0, sequence: .max))
    #expect(collector.isComplete)
    let answers = collector.answers()
    #expect(try answers[0].get().isEmpty)
    #expect(try answers[1].get().map(\.header.type) == [20])
    let error = #expect(throws: NetlinkError.self) { try answers[2].get() }
    #expect(error?.errno == .exists)
    #expect(error?.isAlreadyThere == true)
  }

  @Test("to others, or to what nobody waits for, are passed over")
  func passesOverOthers() {
    var collector = collector(.acknowledgement)
    collector.receive(Said.verdict(-1, sequence: .max, port: 78))
    collector.receive(Said.verdict(-1, sequence: 5))
    collector.receive(Said.verdict(-1, sequence: .max - 1))
    #expect(!collector.isComplete)
    collector.receive(Said.verdict(0, sequence: .max))
    #expect(collector.answers().allSatisfy { $0.isSuccess })
  }

  @Test("carry the kernel's sentence and the place it points at")
  func carriesSentence() {
    var collector = collector(.acknowledgement)
    collector.receive(
      Said.verdict(-22, sequence: .max, sentence: "MTU greater than device maximum", offset: 32))
    let error = collector.answers()[0].error
    #expect(error?.kernelMessage == "MTU greater than device maximum")
    #expect(error?.attributeOffset == 32)
    #expect(
      error?.description
        == "do it: EINVAL (Invalid argument): MTU greater than device maximum "
        + "(at byte 32 of the request)")
  }

  @Test("that repeat the request carry the sentence behind it")
  func skipsRepeatedRequest() {
    var writer = AttributeWriter()
    writer.fixed(Int32(-22))
    writer.fixed(bytes: Said.message(100, sequence: .max, [9, 9, 9, 9, 9, 9, 9, 9]))
    writer.text(1, "no")
    var collector = collector(.acknowledgement)
    collector.receive(Said.message(2, flags: 0x200, sequence: .max, writer.bytes))
    #expect(collector.answers()[0].error?.kernelMessage == "no")
  }

  @Test("to a listing end with its end mark, over several datagrams")
  func collectsListing() throws {
    var collector = collector(.listing)
    let part = Said.message(20, flags: 2, sequence: .max, [1])
    collector.receive(part + part)
    collector.receive(part)
    #expect(!collector.isComplete)
    collector.receive(Said.done(sequence: .max))
    #expect(collector.isComplete)
    #expect(try collector.answers()[0].get().count == 3)
  }

  @Test("to a listing that failed at its end are an error")
  func noticesFailedListing() {
    var collector = collector(.listing)
    collector.receive(Said.message(20, flags: 2, sequence: .max))
    collector.receive(Said.done(sequence: .max, -2))
    #expect(collector.answers()[0].error?.errno == .noEntry)
  }

  @Test(
    "to a listing that changed while it was read are never taken for all", arguments: [1, 2, 3])
  func noticesInterruption(place: Int) {
    var collector = collector(.listing)
    collector.receive(Said.message(20, flags: place == 1 ? 0x12 : 2, sequence: .max))
    collector.receive(Said.message(20, flags: place == 2 ? 0x12 : 2, sequence: .max))
    collector.receive(Said.done(sequence: .max, 0, flags: place == 3 ? 0x12 : 2))
    #expect(collector.answers()[0].error?.cause == .interrupted)
  }

  @Test("that never came are an error")
  func noticesMissing() {
    let error = collector(.acknowledgement).answers()[0].error
    #expect(error?.cause == .unanswered)
    #expect(collector(.reply).answers()[0].error?.cause == .unanswered)
    #expect(collector(.listing).answers()[0].error?.cause == .unanswered)
  }

  @Test("are not needed from those that keep silent unless they fail")
  func hearsSilence() {
    var collector = collector(.silence, .silence, .acknowledgement)
    #expect(!collector.isComplete)
    collector.receive(Said.verdict(-2, sequence: 0))
    #expect(!collector.isComplete)
    collector.receive(Said.verdict(0, sequence: 1))
    #expect(collector.isComplete)
    let answers = collector.answers()
    #expect(answers[0].isSuccess)
    #expect(answers[1].error?.errno == .noEntry)
    #expect(answers[2].isSuccess)
  }

  @Test("that were lost leave nothing to be believed of those who have none")
  func noticesOverrun() {
    var collector = collector(.acknowledgement, .silence, .acknowledgement)
    collector.receive(Said.verdict(0, sequence: .max))
    collector.noteOverrun()
    let answers = collector.answers()
    #expect(answers[0].isSuccess)
    #expect(answers[1].error?.cause == .overrun)
    #expect(answers[2].error?.cause == .overrun)
  }

  @Test("that break off are not taken for whole")
  func noticesBrokenDatagram() {
    var collector = collector(.listing)
    collector.receive(Array(Said.message(20, flags: 2, sequence: .max, [1, 2, 3, 4]).dropLast(2)))
    collector.receive(Said.done(sequence: .max))
    #expect(collector.answers()[0].error?.cause == .malformed)
  }

  @Test("too short to hold a verdict are not taken for success")
  func noticesShortVerdict() {
    var collector = collector(.acknowledgement)
    collector.receive(Said.message(2, sequence: .max, [0, 0]))
    #expect(!collector.isComplete)
    #expect(collector.answers()[0].error?.cause == .malformed)
  }

  @Test("with the most negative number do not trap")
  func survivesExtremeNumber() {
    var collector = collector(.acknowledgement)
    collector.receive(Said.verdict(.min, sequence: .max))
    #expect(collector.answers()[0].error != nil)
  }
}

extension NetlinkAnswer {
  var error: NetlinkError? {
    if case .failure(let error) = self { error } else { nil }
  }

  var isSuccess: Bool { error == nil }
}
