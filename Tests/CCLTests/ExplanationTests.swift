internal import CCL
internal import MeshCore
internal import MeshTestSupport
import Testing

@Suite("Contracts are explained in plain words", .tags(.Size.small))
struct ExplanationTests {
    static func lines(_ source: String) -> [String] {
        let checked = Checked(source)
        guard let program = checked.program else { return checked.diagnostics.map(\.message) }
        return Contract.explanation(program, spending: checked.spending).split(separator: "\n").map(
            String.init)
    }

    @Test("effects stand in order, under the conditions and loops that they belong to")
    func effects() {
        let lines = Self.lines(
            """
            title: "x";
            resources { compute: 5000 }
            execution {
              log("begin");
              if resources.compute > 500 && !(1 > resources.compute) {
                for i in range(0, 2) { submit_job("\(CheckingTests.cid)", "Data", resource_amount: 1_000, priority: "medium"); }
              } else { fail("too little"); }
            }
            on "vote.cast" { anchor_data("v", path: "votes"); }
            """)
        #expect(
            lines == [
                "When it runs:", "  Logs \"begin\".",
                "  If resources.compute is above 500 and not (1 is above resources.compute):",
                "    For each i from 0 up to, not including, 2, 2 times:",
                "      Submits job \"Data\": module \(CheckingTests.cid), up to 1,000 compute, priority medium.",
                "  Otherwise:", "    Fails, with the message \"too little\".", "On \"vote.cast\":",
                "  Anchors \"votes: v\".", "Exactly 2,000 compute in all; declared 5,000.",
                "Submits 2 jobs in all.", "Keeps 2 declarations: title, resources.",
            ])
    }

    @Test("whatever a text holds, an effect takes one line")
    func lineBreaks() {
        let lines = Self.lines("execution { log(\"a\\nb\\u{7}\"); log(text(length(\"x\"))); }")
        #expect(lines == ["When it runs:", "  Logs \"a\\nb\\u0007\".", "  Logs \"1\"."])
    }

    @Test("each function is explained once, however often it is called")
    func functions() {
        var source = "execution { f0(); f0(); }\n"
        for index in 0..<60 { source += "function f\(index)() { f\(index + 1)(); f\(index + 1)(); }\n" }
        let lines = Self.lines(source + "function f60() { log(\"end\"); }")
        #expect(lines.count == 3 + 60 * 3 + 2)
        #expect(lines.last == "  Calls f1()." && lines.contains("  Logs \"end\"."))
    }
}
