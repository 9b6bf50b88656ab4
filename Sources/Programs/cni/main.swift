import CNI
import PluginSuite

// One file under many names: the last part of argument 0 says which plugin it is. Under the name
// `cni` it says what it holds.

PluginMain.serve(.suite, program: "cni")
