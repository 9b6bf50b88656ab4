internal import JSON

// A service's file in the store: its definition as Kubernetes writes one, and beside it the balancer's
// addresses, the endpoints, and the frontends as the kernel has them.

extension ResolvedService {
  init(parsing bytes: [UInt8]) throws(DamagedFile) {
    let fields = try JSONFields(storedIn: bytes)
    let file = try fields.storedText("file")
    var service: Service
    guard let nested = fields.value("service")?.objectValue else { throw DamagedFile() }
    do throws(ServiceRefusal) {
      let object = try DefinitionObject(JSONFields(nested), .service)
      service = try Service(object, try object.serviceName)
    } catch {
      throw DamagedFile()
    }
    service.balancerAddresses = try fields.storedAddresses("balancerAddresses")
    self.init(service, file: file)
    for object in try fields.storedObjects("endpoints") {
      endpoints.append(try ServiceEndpoint(stored: object))
    }
    for object in try fields.storedObjects("frontends") {
      frontends.append(try Frontend(stored: object))
    }
  }

  var bytes: [UInt8] {
    let object: JSONObject = [
      "file": .string(file),
      "service": .object(service.document),
      "balancerAddresses": .addresses(service.balancerAddresses),
      "endpoints": .array(endpoints.map(\.stored)),
      "frontends": .array(frontends.map(\.stored)),
    ]
    return JSONWriter.write(.object(object))
  }
}
