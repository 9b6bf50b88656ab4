public import CNI
public import Linux
public import Netlink

// Where the kernel's refusals become errors of the protocol: once, here.

extension ProtocolError {
  /// The kernel refused a netlink request, or gave no answer to it.
  ///
  /// Code 11 where another attempt can succeed, 999 for everything else.
  ///
  /// - Parameters:
  ///   - error: the refusal.
  ///   - step: what was being done, such as `failed to create bridge "cni0"`.
  public init(_ error: NetlinkError, _ step: String? = nil) {
    let code: Code =
      switch (error.cause, error.errno) {
      case (.interrupted, _), (.overrun, _), (.timedOut, _): .tryAgainLater
      case (_, .interrupted), (_, .tryAgain), (_, .noMemory), (_, .noBuffers), (_, .busy):
        .tryAgainLater
      default: .internalFailure
      }
    self.init(code, Self.join(step, error.description), details: Self.remedy(for: error))
  }

  /// The way into a network namespace failed, or the work inside.
  public init(_ error: NamespaceError<NetlinkError>, _ step: String? = nil) {
    switch error {
    case .unreachable(let error): self.init(unreachable: error)
    case .work(let error): self.init(error, step)
    }
  }

  /// The way into a network namespace failed, or a call inside.
  public init(_ error: NamespaceError<SystemError>, _ step: String? = nil) {
    switch error {
    case .unreachable(let error): self.init(unreachable: error)
    case .work(let error):
      let told = ProtocolError(error)
      self.init(told.code, Self.join(step, told.message), details: told.details)
    }
  }

  /// The way into a network namespace failed, or the work inside did and has told why.
  public init(_ error: NamespaceError<ProtocolError>) {
    switch error {
    case .unreachable(let error): self.init(unreachable: error)
    case .work(let error): self = error
    }
  }

  /// A network namespace cannot be opened or entered.
  ///
  /// Code 3 when it is gone, so that the runtime knows that there is nothing to clean up in it.
  public init(unreachable error: SystemError) {
    let isGone = error.errno == .noEntry
    self.init(
      isGone ? .unknownContainer : .ioFailure,
      "failed to open netns \"\(error.subject)\": \(error)",
      details: isGone ? "the container's network namespace is gone" : "")
  }

  private static func join(_ step: String?, _ text: String) -> String {
    step.map { "\($0): \(text)" } ?? text
  }

  private static func remedy(for error: NetlinkError) -> String {
    switch error.errno {
    case .notPermitted: "the plugin needs CAP_NET_ADMIN in the host's network namespace"
    case .notSupported: "the kernel lacks this feature"
    default: ""
    }
  }
}
