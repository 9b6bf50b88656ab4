internal import BridgePlugin
public import CNI
internal import PTPPlugin

extension PluginRegistry {
  /// The plugins of this house, each under the name by which it lies on `CNI_PATH`.
  public static let suite = PluginRegistry([Bridge.self, PTP.self])
}
