internal import Linux

extension PluginMain {
  /// Does what the runtime asks of this process by the name it is called by, and ends it.
  ///
  /// - Parameters:
  ///   - registry: the plugins of this program.
  ///   - program: the name under which the program is no plugin; there argument 1 may name one.
  public static func serve(_ registry: PluginRegistry, program: String) -> Never {
    let arguments = CommandLine.arguments
    let name = name(from: arguments, program: program)
    let words = arguments.dropFirst(
      self.name(from: [arguments.first ?? program], program: program) == nil ? 2 : 1)
    if let name, !words.isEmpty, let plugin = registry[name] {
      StandardStreams.repair()
      if let code = plugin.serve(Array(words)) { CurrentProcess.exit(code) }
    }
    serve(registry, as: name)
  }

  /// Does what the runtime asks of this process, and ends it.
  ///
  /// Takes the process's own environment and streams; ``run(name:environment:readInput:registry:executable:patience:log:)``
  /// is the same with everything as values.
  ///
  /// - Parameters:
  ///   - registry: the plugins of this program.
  ///   - name: the plugin that is meant; without one the answer is the list of what there is.
  public static func serve(_ registry: PluginRegistry, as name: String?) -> Never {
    StandardStreams.repair()
    let answer = run(
      name: name, environment: .current(),
      readInput: { () throws(SystemError) in
        try StandardStreams.readInput(limit: inputLimit)
      },
      registry: registry)
    CurrentProcess.exit(answer.deliver(through: StandardStreams.writeOutput))
  }
}

extension Plugin {
  /// Makes a program of a plugin that is marked `@main`.
  ///
  /// It answers under whatever name it is installed.
  public static func main() {
    PluginMain.serve(PluginRegistry([self]), as: name)
  }
}
