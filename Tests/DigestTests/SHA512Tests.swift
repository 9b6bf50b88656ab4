import Digest
import Testing

@Suite("SHA-512")
struct SHA512Tests {
  struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    let message: String
    let digest: String
    var testDescription: String { name }
  }

  @Test(
    "gives the digests that NIST publishes with FIPS 180-4",
    arguments: [
      Vector(
        name: "no message", message: "",
        digest: """
          cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
          47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e
          """),
      Vector(
        name: "one block", message: "abc",
        digest: """
          ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
          2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
          """),
      Vector(
        name: "two blocks",
        message: """
          abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
          hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu
          """,
        digest: """
          8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018\
          501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909
          """),
      Vector(
        name: "a million times a", message: String(repeating: "a", count: 1_000_000),
        digest: """
          e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb\
          de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b
          """),
    ])
  func vectors(_ vector: Vector) {
    #expect(SHA512.hex(vector.message, prefix: 128) == vector.digest)
  }

  @Test(
    "does not depend on how the message is cut, at every length around a block",
    arguments: 100...260)
  func pieces(_ length: Int) {
    let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var whole = SHA512()
    whole.update(message)
    var pieces = SHA512()
    for byte in message { pieces.update([byte]) }
    #expect(whole.finalize() == pieces.finalize())
  }

  struct Name: Sendable, CustomTestStringConvertible {
    let message: String
    let digits: String
    var testDescription: String { digits }
  }

  @Test(
    "gives the names that upstream derives from it",
    arguments: [
      Name(message: "test1234", digits: "2bbe0c48b91a7d1b8a6753a8"),
      Name(
        message: "testalongnamethatdoesnotmakesense1234", digits: "374f33fe84ab0ed84dcdebe3"),
      Name(
        message: """
          testNetNameicee6giejonei6sohng6ahngee7laquohquee9shiGo7fohferakah3Feiyoolu2pei7ciPhoh7\
          shaoX6vai3vuf0ahfaeng8yohb9ceu0daez5hashee8ooYai5wa3y
          """,
        digits: "bfd599665540dd91d5d28"),
      Name(message: "cni-plugin-bandwidth-testdummy", digits: "a8eda89404b7"),
      Name(message: "unit-test", digits: "6fd94d501e58f0aa"),
      Name(message: "eth0:one", digits: "287fc69eff0574a2"),
    ])
  func names(_ name: Name) {
    #expect(SHA512.hex(name.message, prefix: name.digits.count) == name.digits)
  }
}
