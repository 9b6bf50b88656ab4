/// The plugins that a program holds, by name.
public struct PluginRegistry: Sendable {
  private let plugins: [any Plugin.Type]

  /// A registry of these plugins; their names differ.
  public init(_ plugins: [any Plugin.Type]) {
    self.plugins = plugins
  }

  /// The plugin of a name.
  public subscript(name: String) -> (any Plugin.Type)? {
    plugins.first { $0.name == name }
  }

  /// All names, in alphabetical order.
  public var names: [String] { plugins.map { $0.name }.sorted() }
}
