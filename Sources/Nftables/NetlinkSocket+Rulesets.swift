public import Netlink

// Reading. "Not there" is an answer here, not an error; it is answered alike when the table, the
// set or the element is missing.

extension NetlinkSocket where Family == NetfilterFamily {
  /// The number that every transaction of anybody raises.
  ///
  /// `NFT_MSG_GETGEN`
  public borrowing func generation() throws(NetlinkError) -> RulesetGeneration {
    let request = Message(
      nftables: .getGeneration, family: 0, answer: .reply,
      operation: NftablesFeature.generationOperation
    ) { _ in }
    let reply = try reply(to: request)
    let number: UInt32? = reply.nftablesAttributes[GenerationAttribute.number]?.bigEndian()
    return RulesetGeneration(number: number ?? 0)
  }
}

extension NetlinkSocket where Family == NetfilterFamily {
  /// One thing; nil if it is not there.
  borrowing func find(_ request: Message) throws(NetlinkError) -> Message? {
    do {
      return try reply(to: request)
    } catch  where error.isNotFound {
      return nil
    }
  }

  /// A listing; empty if what is listed is not there.
  borrowing func list(_ request: Message) throws(NetlinkError) -> [Message] {
    do {
      return try exchange(request)
    } catch  where error.isNotFound {
      return []
    }
  }
}

extension Message {
  /// What follows the netfilter header.
  var nftablesAttributes: AttributeReader {
    attributes(after: Message.netfilterHeaderByteCount)
  }
}
