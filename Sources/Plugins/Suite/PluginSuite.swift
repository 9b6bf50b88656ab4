internal import BandwidthPlugin
internal import BridgePlugin
public import CNI
internal import DHCPPlugin
internal import DummyPlugin
internal import FirewallPlugin
internal import HostDevicePlugin
internal import HostLocalPlugin
internal import IPVLANPlugin
internal import LoopbackPlugin
internal import MACVLANPlugin
internal import PTPPlugin
internal import PortMapPlugin
internal import ServicePlugin
internal import SourceRoutingPlugin
internal import StaticPlugin
internal import TapPlugin
internal import TuningPlugin
internal import VLANPlugin
internal import VRFPlugin

extension PluginRegistry {
  /// The plugins of this house, each under the name by which it lies on `CNI_PATH`.
  public static let suite = PluginRegistry([
    // main
    Bridge.self, Loopback.self, PTP.self, Tap.self, Dummy.self, IPVLAN.self, MACVLAN.self,
    HostDevice.self, VLAN.self,
    // ipam
    DHCP.self, HostLocal.self, Static.self,
    // meta
    Bandwidth.self, Firewall.self, PortMap.self, ServiceMembership.self, SourceRouting.self,
    Tuning.self,
    VRF.self,
  ])
}
