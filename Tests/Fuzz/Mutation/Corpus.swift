public import Linux

/// The good inputs that changes start from, and the bad ones that broke something once.
public enum Corpus {
  /// One of them.
  public struct Seed: Sendable {
    /// The file's name.
    public let name: String
    /// What it holds.
    public let bytes: [UInt8]
  }

  /// Those for one target, by name.
  ///
  /// - Parameter target: the folder in `Tests/Fuzz/Corpus`.
  /// - Returns: the files.
  /// - Throws: `SystemError`.
  public static func seeds(of target: String) throws(SystemError) -> [Seed] {
    let folder = "\(place)/\(target)"
    var seeds: [Seed] = []
    for name in try Directory.entries(of: folder).sorted() {
      seeds.append(Seed(name: name, bytes: try File.read("\(folder)/\(name)", limit: 1 << 24)))
    }
    return seeds
  }

  /// `Tests/Fuzz/Corpus`; this file is `Tests/Fuzz/Mutation/Corpus.swift`.
  public static let place =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    .joined(separator: "/") + "/Corpus"
}
