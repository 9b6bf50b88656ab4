/// Figures beside each other as bars, in groups.
public struct BarPlot {
  /// One bar.
  public struct Bar {
    /// `ours`, `upstream` or `floor`.
    public var style: String
    /// What its length stands for, at least 0.
    public var value: Double
    /// What stands behind it.
    public var label: String

    /// A bar.
    public init(style: String, value: Double, label: String) {
      self.style = style
      self.value = value
      self.label = label
    }
  }

  /// Bars under one title.
  public struct Group {
    /// What they are figures of.
    public var title: String
    /// From top to bottom.
    public var bars: [Bar]

    /// A group.
    public init(title: String, bars: [Bar]) {
      self.title = title
      self.bars = bars
    }
  }

  /// In large letters above all.
  public var title: String
  /// How to read it.
  public var subtitle: String
  /// From top to bottom.
  public var groups: [Group]
  /// Whether all bars have one scale; otherwise each group is drawn against its longest.
  public var isOneScale: Bool
  /// How much room the titles of groups have, in pixels.
  public var titleWidth: Double

  /// A picture of these.
  public init(
    title: String, subtitle: String, groups: [Group], isOneScale: Bool = false,
    titleWidth: Double = 220
  ) {
    self.title = title
    self.subtitle = subtitle
    self.groups = groups
    self.isOneScale = isOneScale
    self.titleWidth = titleWidth
  }

  /// The whole file.
  public var svg: String {
    let (rowHeight, gap, left, right) = (17.0, 16.0, 20 + titleWidth, 150.0)
    let rows = groups.reduce(0) { $0 + $1.bars.count }
    let top = 66.0
    var drawing = Drawing(
      width: 760, height: top + Double(rows) * rowHeight + Double(groups.count) * gap)
    drawing.text(title, at: (20, 28), style: "title")
    drawing.text(subtitle, at: (20, 48), style: "quiet")

    let reach = drawing.width - left - right
    let longestOfAll = groups.flatMap { $0.bars.map(\.value) }.max() ?? 1
    var y = top
    for group in groups {
      let longest = isOneScale ? longestOfAll : group.bars.map(\.value).max() ?? 1
      drawing.text(group.title, at: (20, y + 13))
      for bar in group.bars {
        // Where all are nothing, all are as short as can be seen.
        let length = longest > 0 ? max(1.5, bar.value / longest * reach) : 1.5
        drawing.bar(at: (left, y), size: (length, rowHeight - 3), style: bar.style)
        drawing.text(bar.label, at: (left + length + 6, y + 11), style: "quiet")
        y += rowHeight
      }
      y += gap
    }
    return drawing.svg
  }
}
