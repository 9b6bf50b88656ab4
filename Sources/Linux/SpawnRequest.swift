internal import CLinux
internal import Glibc

/// What `posix_spawn` is told.
struct SpawnRequest {
  let executable: String
  let arguments: [String]
  let environment: [String]
  /// The descriptors that become 0, 1 and 2.
  let streams: [Int32]

  /// Starts the program and returns its process number, which the caller must wait for.
  func start() throws(SystemError) -> Int32 {
    // A NUL would end the text early, and an argument would become another one.
    guard ([executable] + arguments + environment).allSatisfy({ !$0.utf8.contains(0) }) else {
      throw SystemError(operation: "posix_spawn", subject: executable, errno: .invalid)
    }
    var process: pid_t = 0
    // The call answers with the number itself, not through errno.
    let answer = unsafe Self.withCStrings(arguments) { arguments in
      unsafe Self.withCStrings(environment) { environment in
        unsafe spawn(&process, arguments, environment)
      }
    }
    guard answer == 0 else {
      throw SystemError(
        operation: "posix_spawn", subject: executable, errno: Errno(rawValue: answer))
    }
    return process
  }

  private func spawn(
    _ process: inout pid_t, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
    _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    for (target, source) in streams.enumerated() {
      let answer = unsafe posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
      if answer != 0 { return answer }
    }
    // Ours are closed on exec; those that whoever started us left open would go on.
    let answer = unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    if answer != 0 { return answer }
    // We may ignore SIGPIPE, and whoever started us may have blocked signals; the program shall
    // start as from a shell.
    var none = sigset_t()
    var reset = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigemptyset(&reset)
    unsafe sigaddset(&reset, SIGPIPE)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &reset)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    return unsafe posix_spawn(
      &process, executable, &actions, &attributes, arguments, environment)
  }

  private static func withCStrings(
    _ texts: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: texts.count + 1)
    for (place, text) in texts.enumerated() { unsafe pointers[place] = unsafe strdup(text) }
    unsafe pointers[texts.count] = nil
    defer {
      for place in texts.indices { unsafe free(pointers[place]) }
      unsafe pointers.deallocate()
    }
    return unsafe body(pointers)
  }
}
