internal import CNI
internal import JSON

/// What a pod is called in `reservations`, and by what it is known again: `sticky`.
///
/// Neither is a key of upstream's.
struct PodNames {
  /// Every name that means this pod: `namespace/name`, `name` where the namespace is `default` or
  /// untold, and the container's ID.
  let all: [String]
  /// What makes the pod get the same address again; nil if that is not asked for.
  let seed: String?

  /// Reads who the pod is, if the configuration asks for that.
  ///
  /// - Returns: nil if it does not, or if nobody asks for an address, as with STATUS.
  /// - Throws: `ProtocolError` for wishes that cannot be read.
  init?(_ request: Request, askedIn ipam: JSONFields) throws(ProtocolError) {
    let isSticky = try ipam.read { fields throws(JSONFieldError) in try fields.boolean("sticky") }
    guard isSticky == true || ipam.value("reservations") != nil,
      let container = request.invocation.container, let interface = request.invocation.interface
    else { return nil }
    let text = request.invocation.arguments
    let said = try CommandArguments(
      text.isEmpty ? "" : "\(text);IgnoreUnknown=1", known: ["K8S_POD_NAMESPACE", "K8S_POD_NAME"])
    let name = said["K8S_POD_NAME"] ?? ""
    let namespace = said["K8S_POD_NAMESPACE"] ?? ""
    var all = [container.text]
    if !name.isEmpty {
      if !namespace.isEmpty { all.append("\(namespace)/\(name)") }
      // Who may start pods in one namespace must not get what is kept for another's.
      if namespace.isEmpty || namespace == "default" { all.append(name) }
    }
    self.all = all
    let identity = name.isEmpty ? container.text : "\(namespace)/\(name)"
    seed =
      isSticky == true ? "\(request.configuration.name) \(identity) \(interface)" : nil
  }
}
