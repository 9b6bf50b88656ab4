internal import Linux

/// A file of 64-bit words of which only the pages in use are read, and only the changed ones
/// written.
///
/// Reading and writing are plain calls and not a mapping: a write to a mapped page of a full or cut
/// file kills the process, while a failed call is an answer.
struct PagedFile: ~Copyable {
  /// Sixteen lease slots: a lookup rarely needs a second page.
  static let wordsPerPage = 128
  private static let bytesPerPage = wordsPerPage * 8

  /// Whether the file exists in memory alone.
  private(set) var isInMemory: Bool
  private var descriptor: OwnedDescriptor?
  /// By their numbers, in groups; a group of which no page is known is empty.
  ///
  /// Arrays and no dictionary: a process that lives for two milliseconds pays a tenth of one for its
  /// first hashed collection. Groups, since one array would be as long as the file has pages, which are
  /// thousands, of which a few are used.
  private var groups: [[Page]] = []
  private static let pagesPerGroup = 128
  private var hasChanges = false

  private struct Page {
    /// Nothing until the page is known.
    var words: [UInt64] = []
    var isChanged = false
  }

  /// Begins with nothing but zeros, in memory.
  init() {
    isInMemory = true
    descriptor = nil
  }

  /// Reads from an open file.
  init(reading descriptor: consuming OwnedDescriptor) {
    isInMemory = false
    self.descriptor = consume descriptor
  }

  /// Whether there is something to write.
  var isChanged: Bool { isInMemory || hasChanges }

  /// The word at a place, counted in words.
  mutating func word(at index: Int) throws(SystemError) -> UInt64 {
    let page = index / Self.wordsPerPage
    try load(page)
    return words(of: page)[index % Self.wordsPerPage]
  }

  /// Some words that lie in one page.
  mutating func words(at index: Int, count: Int) throws(SystemError) -> ArraySlice<UInt64> {
    let page = index / Self.wordsPerPage
    try load(page)
    let start = index % Self.wordsPerPage
    return words(of: page)[start..<start + count]
  }

  /// Changes some words that lie in one page; in memory for now.
  mutating func set(_ words: some Collection<UInt64>, at index: Int) throws(SystemError) {
    let page = index / Self.wordsPerPage
    try load(page)
    let start = index % Self.wordsPerPage
    let (group, place) = makeRoom(for: page)
    if groups[group][place].words.isEmpty { groups[group][place].words = Self.blank }
    groups[group][place].words.replaceSubrange(start..<start + words.count, with: words)
    groups[group][place].isChanged = true
    hasChanges = true
  }

  private func words(of page: Int) -> [UInt64] {
    knownWords(of: page) ?? Self.blank
  }

  private func knownWords(of page: Int) -> [UInt64]? {
    let (group, place) = page.quotientAndRemainder(dividingBy: Self.pagesPerGroup)
    guard group < groups.count, place < groups[group].count, !groups[group][place].words.isEmpty
    else { return nil }
    return groups[group][place].words
  }

  /// Where a page stands, once there is room for it.
  private mutating func makeRoom(for page: Int) -> (group: Int, place: Int) {
    let (group, place) = page.quotientAndRemainder(dividingBy: Self.pagesPerGroup)
    while groups.count <= group { groups.append([]) }
    if groups[group].isEmpty {
      groups[group] = [Page](repeating: Page(), count: Self.pagesPerGroup)
    }
    return (group, place)
  }

  private static var blank: [UInt64] { [UInt64](repeating: 0, count: wordsPerPage) }

  private mutating func load(_ page: Int) throws(SystemError) {
    guard knownWords(of: page) == nil else { return }
    guard let words = try read(page) else { return }
    let (group, place) = makeRoom(for: page)
    groups[group][place].words = words
  }

  /// A page of the file; nil where there is none yet.
  private func read(_ page: Int) throws(SystemError) -> [UInt64]? {
    switch descriptor {
    case .none: return nil
    case .some(let file):
      let bytes = try file.read(Self.bytesPerPage, at: page * Self.bytesPerPage)
      guard bytes.count == Self.bytesPerPage else {
        // The file is shorter than its own header says; nothing in it can be relied on.
        throw SystemError(operation: "pread", subject: "index", errno: .inputOutput)
      }
      return Self.words(in: bytes)
    }
  }

  /// Writes what has changed; the page at the very beginning last, since it vouches for the others.
  mutating func write() throws(SystemError) {
    switch descriptor {
    case .none: return
    case .some(let file):
      for group in groups.indices.reversed() {
        for place in groups[group].indices.reversed() where groups[group][place].isChanged {
          let page = group * Self.pagesPerGroup + place
          try file.write(
            Self.bytes(of: groups[group][place].words), at: page * Self.bytesPerPage)
        }
      }
    }
    forgetChanges()
  }

  /// All pages as they shall lie in a file.
  ///
  /// Those that were never touched are there too: later changes must not need disk space.
  func image(pageCount: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(pageCount * Self.bytesPerPage)
    for page in 0..<pageCount {
      bytes += Self.bytes(of: words(of: page))
    }
    return bytes
  }

  /// Goes on with a file that holds what is in memory.
  mutating func attach(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = consume descriptor
    isInMemory = false
    forgetChanges()
  }

  private mutating func forgetChanges() {
    for group in groups.indices {
      for place in groups[group].indices where groups[group][place].isChanged {
        groups[group][place].isChanged = false
      }
    }
    hasChanges = false
  }

  // A page is read and written on the way of each ADD: whole words, not byte by byte.

  private static func words(in bytes: [UInt8]) -> [UInt64] {
    unsafe bytes.withUnsafeBytes { raw in
      stride(from: 0, to: bytes.count, by: 8).map { start in
        UInt64(littleEndian: unsafe raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
      }
    }
  }

  private static func bytes(of words: [UInt64]) -> [UInt8] {
    unsafe words.map(\.littleEndian).withUnsafeBytes { raw in unsafe [UInt8](raw) }
  }
}
