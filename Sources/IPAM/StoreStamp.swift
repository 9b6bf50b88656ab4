internal import Linux

/// How an index knows whether it still speaks of its directory.
///
/// After each change we set the directory's time of change ourselves, to random nanoseconds, and
/// remember it. A change by another hand sets it to something else, and be it within the same tick
/// of the clock: kernels before 6.13 would stamp both alike.
struct StoreStamp: Hashable {
  /// The directory's time of change, as we have set it.
  let modified: FileStamp
  /// The directory's number: a copy of the store does not inherit the trust.
  let inode: UInt64

  /// The stamp a directory bears now.
  init(of status: FileStatus) {
    modified = status.modified
    inode = status.identity.inode
  }

  /// A stamp to be set: near the time of the last change, and unlike any other.
  init(replacing status: FileStatus) {
    modified = FileStamp(
      seconds: status.modified.seconds, nanoseconds: Int64.random(in: 1...999_999_999))
    inode = status.identity.inode
  }

  /// A stamp as it was written down.
  init(words: ArraySlice<UInt64>) {
    let words = Array(words)
    modified = FileStamp(
      seconds: Int64(bitPattern: words[0]), nanoseconds: Int64(bitPattern: words[1]))
    inode = words[2]
  }

  /// The stamp as it is written down.
  var words: [UInt64] {
    [UInt64(bitPattern: modified.seconds), UInt64(bitPattern: modified.nanoseconds), inode]
  }
}
