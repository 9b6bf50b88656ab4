internal import JSON

/// What one file defines: services and slices, and what in it was refused.
///
/// A file holds a Service, an EndpointSlice or a List of such, in the form of
/// `kubectl get services,endpointslices -o json`.
public struct ServiceDocument: Sendable {
  /// The services, in order.
  public private(set) var services: [Service] = []
  /// The slices, in order.
  public private(set) var slices: [EndpointSlice] = []
  /// What could not be taken; the rest could.
  public private(set) var refusals: [ServiceRefusal] = []
  /// What was taken and will not be done, a sentence each.
  public private(set) var notices: [String] = []
  /// Whether nothing of the file could be read at all.
  public private(set) var isUnreadable = false
  /// The file.
  public let file: String

  /// The longest file that is read: room for some ten thousand services.
  public static let sizeLimit = 128 << 20

  /// Reads the bytes of a file.
  public init(_ bytes: [UInt8], file: String) {
    self.file = file
    do throws(JSONParseError) {
      read(
        try JSONParser.parse(bytes, limits: JSONLimits(bytes: Self.sizeLimit, depth: 64)), at: "")
    } catch {
      refuse("\(error)", remedy: "compare it with the output of kubectl get services -o json")
    }
  }

  /// A file that could not be read at all.
  public init(unreadable reason: String, remedy: String, file: String) {
    self.file = file
    refuse(reason, remedy: remedy)
  }

  private mutating func refuse(_ reason: String, remedy: String) {
    isUnreadable = true
    refusals.append(ServiceRefusal(at: "", reason, remedy: remedy, file: file))
  }

  private mutating func read(_ value: JSONValue, at path: String) {
    var object = ""
    var name: ServiceName?
    do throws(ServiceRefusal) {
      guard let members = value.objectValue else {
        throw ServiceRefusal(
          at: path, "this is no object",
          remedy: "a file holds a Service, an EndpointSlice or a List")
      }
      let kind = members["kind"]?.textValue ?? ""
      if kind == "List" || kind == "ServiceList" || kind == "EndpointSliceList" {
        return try readList(JSONFields(members, path: path))
      }
      guard let known = DefinitionObject.Kind(rawValue: kind) else {
        throw ServiceRefusal(
          at: path.isEmpty ? "kind" : "\(path).kind", "\"\(kind)\" is not read here",
          remedy: kind == "Endpoints"
            ? "write an EndpointSlice" : "a file holds Service, EndpointSlice or List")
      }
      object = known.rawValue
      let read = try DefinitionObject(JSONFields(members, path: path), known)
      object += " \(read.namespace)/\(read.name)"
      switch known {
      case .service:
        let service = try read.serviceName
        name = service
        services.append(try Service(read, service))
        if let port = members["spec"]?.objectValue?["healthCheckNodePort"]?.integerValue, port != 0
        {
          notices.append(
            "\(file): \(object): spec.healthCheckNodePort: nobody answers at port \(port); let the "
              + "balancer outside ask the service itself")
        }
      case .slice: slices.append(try EndpointSlice(read))
      }
    } catch {
      var refusal = error
      refusal.file = file
      refusal.object = object
      refusal.service = name
      refusals.append(refusal)
    }
  }

  private mutating func readList(_ fields: JSONFields) throws(ServiceRefusal) {
    let list = try DefinitionFields(
      fields, known: ["apiVersion", "kind", "items"], ignored: ["metadata"])
    guard let items = list.field("items"), let values = items.value.listValue else {
      throw list.refusal("items", "is no list", "put the objects there")
    }
    for (place, value) in values.enumerated() {
      // A list in a list would be one more level for each; nobody writes that.
      if value.objectValue?["kind"]?.textValue?.hasSuffix("List") == true {
        refusals.append(
          ServiceRefusal(
            at: "\(items.path)[\(place)]", "a list inside a list", remedy: "put its items here",
            file: file))
      } else {
        read(value, at: "\(items.path)[\(place)]")
      }
    }
  }
}

/// An object of Kubernetes: which kind, what it is called, and its members.
struct DefinitionObject {
  /// The kinds that are read.
  enum Kind: String {
    case service = "Service"
    case slice = "EndpointSlice"
  }

  let namespace: String
  let name: String
  let metadata: DefinitionFields
  let fields: DefinitionFields

  init(_ object: JSONFields, _ kind: Kind) throws(ServiceRefusal) {
    let keys: (known: [String], version: String) =
      switch kind {
      case .service: (["spec"], "v1")
      case .slice: (["addressType", "endpoints", "ports"], "discovery.k8s.io/v1")
      }
    fields = try DefinitionFields(
      object, known: ["apiVersion", "kind", "metadata"] + keys.known, ignored: ["status"])
    let version = try fields.text("apiVersion") ?? ""
    guard version == keys.version else {
      throw fields.refusal(
        "apiVersion", "\"\(version)\" of a \(kind.rawValue) is not read here",
        "write \"\(keys.version)\"")
    }
    guard let nested = try fields.nested("metadata") else {
      throw fields.refusal("metadata", "is missing", "give it a name")
    }
    metadata = try DefinitionFields(
      nested, known: ["name", "namespace", "labels", "annotations"],
      ignored: [
        "creationTimestamp", "uid", "resourceVersion", "generation", "managedFields", "selfLink",
        "ownerReferences", "finalizers", "generateName", "deletionTimestamp",
        "deletionGracePeriodSeconds",
      ])
    namespace = try metadata.text("namespace") ?? ServiceName.defaultNamespace
    name = try metadata.text("name") ?? ""
    guard ServiceName.isLabel(namespace), 1...253 ~= name.utf8.count else {
      throw metadata.refusal(
        "name", "\"\(name)\" in namespace \"\(namespace)\" cannot be a name",
        "use up to 63 small letters, digits and -")
    }
  }

  /// The name of a service, which is stricter than that of others.
  var serviceName: ServiceName {
    get throws(ServiceRefusal) {
      guard let service = ServiceName(namespace: namespace, name: name) else {
        throw metadata.refusal(
          "name", "\"\(name)\" cannot be the name of a service",
          "use up to 63 small letters, digits and -")
      }
      return service
    }
  }
}
