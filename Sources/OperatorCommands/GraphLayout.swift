/// Where the boxes of a graph stand on paper: a column for each kind, from the world to the pods.
struct GraphLayout {
  /// A rectangle in pixels, from the upper left.
  struct Frame: Equatable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    var middle: Int { y + height / 2 }
    var right: Int { x + width }
  }

  /// The size of one character of the typewriter face at 13 pixels, and the lines' distance.
  static let character = (width: 8, height: 18)
  /// Room inside a box, between boxes of a column, and around all.
  private static let inset = 12
  private static let gap = 16
  static let margin = 20

  private(set) var frames: [Frame] = []
  private(set) var width = 0
  private(set) var height = 0

  init(of graph: NodeGraph) {
    let sizes = graph.boxes.map { box in
      Frame(
        x: 0, y: 0,
        width: 2 * Self.inset + Self.character.width
          * (([box.name] + box.lines).map(\.count).max() ?? 0),
        height: 2 * Self.inset + Self.character.height * (1 + box.lines.count))
    }
    frames = sizes
    var x = Self.margin
    for kind in NodeGraph.Kind.allCases {
      let members = graph.boxes.indices.filter { graph.boxes[$0].kind == kind }
      guard let widest = members.map({ sizes[$0].width }).max() else { continue }
      var y = Self.margin
      for member in members {
        frames[member] = Frame(x: x, y: y, width: widest, height: sizes[member].height)
        y += sizes[member].height + Self.gap
      }
      height = max(height, y - Self.gap + Self.margin)
      x += widest + Self.passage(after: members, of: graph)
    }
    width = (frames.map(\.right).max() ?? 0) + Self.margin
    for kind in NodeGraph.Kind.allCases { centre(kind, of: graph) }
  }

  /// How wide the space after a column must be for the names of the ways that begin there, and for ways
  /// to services, which cross.
  private static func passage(after members: [Int], of graph: NodeGraph) -> Int {
    let ways = graph.ways.filter { members.contains($0.from) }
    return (ways.contains(where: \.isAnswer) ? 100 : 40)
      + character.width * (ways.map(\.label.count).max() ?? 0)
  }

  /// Moves a column to the middle of the picture's height.
  private mutating func centre(_ kind: NodeGraph.Kind, of graph: NodeGraph) {
    let members = graph.boxes.indices.filter { graph.boxes[$0].kind == kind }
    guard let last = members.last else { return }
    let bottom = frames[last].y + frames[last].height
    let shift = (height - Self.margin - bottom) / 2
    for member in members { frames[member].y += shift }
  }
}
