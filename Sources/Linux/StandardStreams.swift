internal import Glibc

/// The three descriptors every program is started with.
public enum StandardStreams {
  /// Makes sure that descriptors 0 to 2 are open, and that a reader who has left kills nobody.
  ///
  /// Call it before anything is opened: a runtime that starts us with one of them closed would
  /// else get our first socket or lease file as its standard output. Missing ones become
  /// `/dev/null`. `SIGPIPE` is ignored from here on, so that a failed write is an error that can
  /// be answered; ``ChildProcess`` gives it back to the programs it starts.
  public static func repair() {
    _ = signal(SIGPIPE, SIG_IGN)
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 && errno == EBADF {
      // The lowest free number is what open gives, and those below are open by now.
      if unsafe open("/dev/null", number == 0 ? O_RDONLY : O_WRONLY) != number {
        // Nobody could be told, and to go on would be worse.
        abort()
      }
    }
  }

  /// Reads standard input to its end.
  ///
  /// It waits as long as somebody may still write. Whoever started us knows how long that may take, and
  /// ends us when it takes too long; so nothing is to be held or begun before.
  ///
  /// - Parameter limit: the most bytes that are accepted.
  /// - Returns: its bytes.
  /// - Throws: ``SystemError``; `EFBIG` when there are more than `limit`.
  public static func readInput(limit: Int) throws(SystemError) -> [UInt8] {
    let input = OwnedDescriptor(adopting: 0)
    let answer: Result<[UInt8], SystemError>
    do throws(SystemError) {
      answer = .success(try input.readToEnd(limit: limit, subject: "standard input"))
    } catch {
      answer = .failure(error)
    }
    // Lent for the read; closing it would free the number for the next file opened.
    _ = input.relinquish()
    return try answer.get()
  }

  /// Whether a person may answer on standard input.
  public static var isInputTerminal: Bool { isatty(0) == 1 }

  /// Writes all bytes to standard output.
  ///
  /// - Parameter bytes: what to write.
  /// - Throws: ``SystemError``; `EPIPE` when nobody reads any more.
  public static func writeOutput(_ bytes: [UInt8]) throws(SystemError) {
    try write(bytes, to: 1, "standard output")
  }

  /// Writes a text to standard error.
  ///
  /// That nobody listens there is not an error.
  ///
  /// - Parameter text: what to write, with its line end.
  public static func writeDiagnostics(_ text: String) {
    do throws(SystemError) {
      try write(Array(text.utf8), to: 2, "standard error")
    } catch {
      // There is no place left to say it.
    }
  }

  private static func write(
    _ bytes: [UInt8], to number: Int32, _ subject: String
  ) throws(SystemError) {
    try unsafe OwnedDescriptor.write(bytes, subject: subject) { start, count in
      unsafe Glibc.write(number, start, count)
    }
  }
}
