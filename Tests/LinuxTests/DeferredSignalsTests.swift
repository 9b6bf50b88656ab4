import Glibc
import Linux
import Testing

@Suite("Signals that are put off")
struct DeferredSignalsTests {
  @Test("take effect when the work is done")
  func takeEffectAfterwards() async {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      // Swift's own threads are born with signals blocked.
      var none = sigset_t()
      unsafe sigemptyset(&none)
      unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
      DeferredSignals.during {
        // To this thread, so that it is the mask of this thread that counts.
        _ = pthread_kill(pthread_self(), SIGTERM)
        StandardStreams.writeDiagnostics("still working\n")
      }
      // Not reached, or the exit would be another one.
      exit(0)
    }
  }

  @Test("are not put off afterwards")
  func areRestored() {
    let before = isBlocked(SIGINT)
    let inside = DeferredSignals.during { isBlocked(SIGINT) }
    let after = isBlocked(SIGINT)
    #expect(inside)
    #expect(after == before)
  }

  private func isBlocked(_ number: Int32) -> Bool {
    var blocked = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &blocked)
    return unsafe sigismember(&blocked, number) == 1
  }
}
