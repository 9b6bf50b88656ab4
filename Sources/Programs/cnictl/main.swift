import OperatorCommands

OperatorTool.start()
