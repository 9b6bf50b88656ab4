internal import Linux

extension NetworkNamespace {
  /// Does some work standing there, and throws what the way there or the work threw, as it is.
  borrowing func stand<Product: ~Copyable>(_ body: () throws -> Product) throws -> Product {
    do {
      return try run(body)
    } catch .unreachable(let error) {
      throw error
    } catch .work(let failure) {
      throw failure
    }
  }
}
