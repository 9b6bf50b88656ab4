public import Testing

extension Trait where Self == TimeLimitTrait {
  /// Ends a test that hangs, and says which one it was.
  ///
  /// Time runs from when a test is due, not from when a thread is free for it, so a limit near what a
  /// test takes would be one on all that run beside it.
  public static var endsWithinTheHour: Self { .timeLimit(.minutes(60)) }
}
