import Glibc

/// The whole of a small text file.
func readText(_ path: String) throws(BenchError) -> String {
  guard let file = unsafe fopen(path, "re") else { throw .system(path) }
  defer { unsafe fclose(file) }
  var bytes: [UInt8] = []
  while true {
    let byte = unsafe fgetc(file)
    guard byte != EOF else { return String(decoding: bytes, as: UTF8.self) }
    bytes.append(UInt8(truncatingIfNeeded: byte))
  }
}

func writeText(_ text: String, to path: String) throws(BenchError) {
  guard let file = unsafe fopen(path, "we") else { throw .system(path) }
  let written = unsafe fputs(text, file)
  guard unsafe fclose(file) == 0, written >= 0 else { throw .system(path) }
}

func makeDirectory(_ path: String) throws(BenchError) {
  guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system(path) }
}

/// The size of all files of a directory in megabytes, those with several names once.
func directorySize(_ path: String) -> Double {
  guard let directory = unsafe opendir(path) else { return 0 }
  defer { unsafe closedir(directory) }
  var sizes: [UInt: Int] = [:]
  while let entry = unsafe readdir(directory) {
    let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
      unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
        unsafe String(cString: $0)
      }
    }
    var status = stat()
    guard unsafe stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      continue
    }
    sizes[status.st_ino] = status.st_size
  }
  return Double(sizes.values.reduce(0, +)) / 1e6
}

/// The size of a file in bytes, or nil if there is none.
func fileSize(_ path: String) -> Int? {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? status.st_size : nil
}
