internal import Linux

/// A chapter of README as data: the lines for a shell that it prints, and what it shows of their
/// output.
public struct ReadmeChapter: Sendable {
  /// A block for the shell, and the block without a language that follows it, if one does.
  public struct Block: Sendable {
    /// The lines, as they are printed.
    public var lines: String
    /// What they are said to print; nil if nothing is.
    public var output: String?
  }

  /// In the order of the chapter.
  public private(set) var blocks: [Block] = []

  /// Reads a chapter; one that is not there has no blocks.
  ///
  /// - Throws: `SystemError`.
  public init(_ title: String) throws {
    let readme = String(
      decoding: try File.read(BuiltProgram.source("README.md"), limit: 1 << 22), as: UTF8.self)
    var isInside = false
    var fence: Substring?
    var text: [Substring] = []
    for line in readme.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let language = fence {
          if isInside { add(language, text.map { "\($0)\n" }.joined()) }
          fence = nil
        } else {
          fence = line.dropFirst(3)
          text = []
        }
      } else if fence != nil {
        text.append(line)
      } else if line.hasPrefix("## ") {
        isInside = line == "## \(title)"
      }
    }
  }

  private mutating func add(_ language: Substring, _ text: String) {
    if language == "sh" {
      blocks.append(Block(lines: text))
    } else if language.isEmpty, let last = blocks.indices.last {
      blocks[last].output = text
    }
  }
}
