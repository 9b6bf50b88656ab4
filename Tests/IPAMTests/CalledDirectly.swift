import Glibc

// What tests do to a store that no part of the house has a reason to do.

struct CallFailed: Error {
  let call: String
  let errno: Int32
}

func makeLink(to target: String, at path: String) throws {
  if unsafe symlink(target, path) != 0 { throw CallFailed(call: "symlink", errno: errno) }
}

func makeFIFO(at path: String) throws {
  if unsafe mkfifo(path, 0o600) != 0 { throw CallFailed(call: "mkfifo", errno: errno) }
}

func changeMode(of path: String, to mode: mode_t) throws {
  if unsafe chmod(path, mode) != 0 { throw CallFailed(call: "chmod", errno: errno) }
}
