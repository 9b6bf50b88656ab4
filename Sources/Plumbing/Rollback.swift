import Linux

/// What has to be undone if the work in progress does not come to its end.
///
/// A step that has succeeded registers its undo here. Unless ``commit()`` is called, leaving the
/// scope runs them, newest first, then those of ``undoLast(_:)``. An undo that fails is told on
/// stderr: a `deinit` cannot change the error that is already on its way.
public struct Rollback: ~Copyable {
  private var steps: [() throws -> Void] = []
  private var lastSteps: [() throws -> Void] = []

  /// An empty stack.
  public init() {}

  deinit {
    for step in steps.reversed() + lastSteps.reversed() { Self.undoNow(step) }
  }

  /// Takes something back in the midst of a step that fails.
  ///
  /// What cannot be taken back is told, since another error is on its way.
  public static func undoNow(_ step: () throws -> Void) {
    do {
      try step()
    } catch {
      tell(error)
    }
  }

  /// Tells on stderr what could not be taken back.
  public static func tell(_ error: any Error) {
    StandardStreams.writeDiagnostics("undo after a failed ADD: \(error)\n")
  }

  /// Registers how the step that has just succeeded is taken back.
  public mutating func undo(_ step: @escaping () throws -> Void) {
    steps.append(step)
  }

  /// Registers an undo that runs after all others, whenever it was registered.
  ///
  /// For the lease of an address: no rule or link may outlive the address it uses.
  public mutating func undoLast(_ step: @escaping () throws -> Void) {
    lastSteps.append(step)
  }

  /// Keeps everything that has been done.
  public mutating func commit() {
    steps.removeAll()
    lastSteps.removeAll()
  }
}
