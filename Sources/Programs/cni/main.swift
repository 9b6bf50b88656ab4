import CNI
import Linux
import PluginSuite

// One file under many names: the last part of argument 0 says which plugin it is. Under the name
// `cni` it says what it holds.

StandardStreams.repair()
let answer = PluginMain.run(
  name: PluginMain.name(from: CommandLine.arguments, program: "cni"), environment: .current(),
  readInput: { () throws(SystemError) in
    try StandardStreams.readInput(limit: PluginMain.inputLimit)
  },
  registry: .suite)
CurrentProcess.exit(answer.deliver(through: StandardStreams.writeOutput))
