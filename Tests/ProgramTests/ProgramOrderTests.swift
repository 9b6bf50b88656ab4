import Linux
import TestSupport
import Testing

@Suite("The order of the program in memory")
struct ProgramOrderTests {
  @Test(
    "is that of the list of what an ADD touches, most of which there still is",
    .enabled("needs the linker's map, as install.sh test leaves it beside the program") {
      try File.status(of: BuiltProgram.cni() + ".map") != nil
    })
  func order() throws {
    // Of the names in the list: all, those in the program, and those that lie there before one that
    // the list has earlier.
    let count = #"""
      NR == FNR { list[NR] = $1; listed[$1]; last = NR; next }
      substr($0, 50, 1) != " " { output = $5 }
      $5 in listed { line[$5] = FNR; part[$5] = output }
      END {
        for (place = 1; place <= last; place++) {
          name = list[place]
          if (!(name in line)) continue
          found++
          if (line[name] < latest[part[name]]) astray++
          latest[part[name]] = line[name]
        }
        print last + 0, found + 0, astray + 0
      }
      """#
    let told = try ChildProcess.run(
      "/usr/bin/awk",
      arguments: [
        count, BuiltProgram.source("Sources/Programs/cni.order"), BuiltProgram.cni() + ".map",
      ],
      environment: .current(), limits: ChildProcess.Limits(output: 1 << 12))
    try #require(told.isSuccess)
    let numbers = String(decoding: told.output, as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(numbers.count == 3)
    #expect(numbers[0] > 1000)
    #expect(
      numbers[1] * 4 >= numbers[0] * 3,
      "\(numbers[1]) of \(numbers[0]) names are in the program: time for Tests/Bench/order")
    #expect(numbers[2] * 20 < numbers[1])
  }
}
