/// Whose plugins live through the days.
struct ModelSide: Sendable {
  /// The directory in which they are.
  let path: String
  /// The version of the specification that all of them speak.
  let version: String
  let isOurs: Bool

  static func ours(_ path: String) -> ModelSide {
    ModelSide(path: path, version: "1.1.0", isOurs: true)
  }

  /// Debian's, which know neither GC nor STATUS, promise nothing about leases of an earlier boot, and
  /// keep their rules where the model does not look.
  static let upstream = ModelSide(path: "/usr/lib/cni", version: "1.0.0", isOurs: false)
}
