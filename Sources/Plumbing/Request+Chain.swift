public import CNI

extension Request {
  /// The result of the plugins before this one, without which a chained plugin has nothing to do.
  ///
  /// - Parameters:
  ///   - message: what to say when there is none, in upstream's words.
  ///   - details: how to mend that.
  /// - Returns: the result.
  /// - Throws: ``ProtocolError`` of code 7 when there is none, or when it cannot be read.
  public func resultBefore(
    orElse message: String,
    details: String = "the plugin comes after another one in a list, whose result is \"prevResult\""
  ) throws(ProtocolError) -> PluginResult {
    guard let result = try previousResult() else {
      throw ProtocolError(.invalidConfiguration, message, details: details)
    }
    return result
  }
}
