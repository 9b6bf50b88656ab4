internal import Addressing

/// Which of the services that are defined can be, and with which addresses and ports.
///
/// Who had something before comes first, then who asks for something by name, then who takes what is
/// left. A service that is refused stays as it was, if it was there.
struct ServiceAdmission {
  /// A service, and the file that defines it.
  struct Candidate {
    var service: Service
    let file: String
  }

  /// The services that can be, with all their addresses and ports.
  private(set) var admitted: [Candidate] = []
  /// Why others cannot.
  private(set) var refusals: [ServiceRefusal] = []
  let settings: ServiceSettings
  var claims = ServiceClaims()

  /// Admits what can be admitted.
  ///
  /// - Parameters:
  ///   - documents: what the files say.
  ///   - former: the services as they are.
  ///   - ledger: what services had, also before the last boot.
  ///   - settings: of this node.
  init(
    _ documents: [ServiceDocument], former: [ServiceName: ResolvedService], ledger: ServiceLedger,
    _ settings: ServiceSettings
  ) {
    self.settings = settings
    refusals = documents.flatMap(\.refusals)
    let candidates = gather(documents, former)
    for candidate in candidates {
      reserve(candidate.service.name, ledger)
    }
    var accepted: [Candidate] = []
    for var candidate in candidates {
      do throws(ServiceRefusal) {
        try claimNamed(&candidate.service, ledger)
        accepted.append(candidate)
      } catch {
        refuse(candidate, error, former)
      }
    }
    for var candidate in accepted {
      do throws(ServiceRefusal) {
        try claimFree(&candidate.service)
        admitted.append(candidate)
      } catch {
        refuse(candidate, error, former)
      }
    }
  }

  /// All that are defined, each once, and those whose definitions cannot be read any more.
  private mutating func gather(
    _ documents: [ServiceDocument], _ former: [ServiceName: ResolvedService]
  ) -> [Candidate] {
    var files: [ServiceName: String] = [:]
    var candidates: [Candidate] = []
    for document in documents {
      for service in document.services {
        if let first = files[service.name] {
          refusals.append(
            ServiceRefusal(
              at: "metadata.name", "\(service.name) is defined in \(first) already",
              remedy: "give one of them another name or namespace", file: document.file,
              object: "Service \(service.name)", service: service.name))
        } else {
          files[service.name] = document.file
          candidates.append(Candidate(service: service, file: document.file))
        }
      }
    }
    let unread = Set(documents.filter(\.isUnreadable).map(\.file))
    let broken = Set(documents.flatMap(\.refusals).compactMap(\.service))
    for (name, resolved) in former.sorted(by: { $0.key < $1.key })
    where files[name] == nil && (unread.contains(resolved.file) || broken.contains(name)) {
      candidates.append(Candidate(service: resolved.service, file: resolved.file))
    }
    return candidates
  }

  private mutating func refuse(
    _ candidate: Candidate, _ refusal: ServiceRefusal, _ former: [ServiceName: ResolvedService]
  ) {
    var refusal = refusal
    refusal.file = candidate.file
    refusal.service = candidate.service.name
    refusal.object = "Service \(candidate.service.name)"
    refusals.append(refusal)
    claims.release(candidate.service.name)
    guard let old = former[candidate.service.name], isAllowed(old.service),
      claims.take(all: old.service)
    else { return }
    admitted.append(Candidate(service: old.service, file: old.file))
  }
}
