import FuzzTargets
import Glibc
import Linux
import Synchronization

/// LLVM's coverage-guided fuzzer, if the program was linked with it.
///
/// It is looked for at run time, so that the ordinary build, which has neither it nor the counters
/// it needs, stays as it is.
enum LibFuzzer {
  private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
  private typealias Driver =
    @convention(c) (
      UnsafeMutablePointer<CInt>,
      UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
      Callback
    ) -> CInt

  /// What the callback tries; a C function has no other way to it.
  private static let target = Mutex<FuzzTarget?>(nil)

  /// Runs the fuzzer with its own arguments until it is done.
  static func run(_ target: FuzzTarget, arguments: [String]) -> Int32 {
    guard let symbol = unsafe dlsym(nil, "LLVMFuzzerRunDriver") else {
      fail("built without libFuzzer; use Tests/Fuzz/run")
    }
    let driver = unsafe unsafeBitCast(symbol, to: Driver.self)
    Self.target.withLock { $0 = target }
    var count = CInt(arguments.count + 1)
    let words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: arguments.count + 2)
    for (place, word) in (["fuzz"] + arguments).enumerated() {
      unsafe words[place] = strdup(word)
    }
    unsafe words[arguments.count + 1] = nil
    var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe words
    return unsafe driver(&count, &pointer) { start, count in
      let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
      if let complaint = LibFuzzer.target.withLock({ $0 })?.complaint(bytes) {
        StandardStreams.writeDiagnostics("\(complaint)\n")
        abort()
      }
      return 0
    }
  }
}
