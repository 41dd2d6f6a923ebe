import Foundation
import MEW
import MeshTestSupport
import Testing

@Suite("The deepest programs fit on a small stack", .tags(.Size.small))
struct StackTests {
    // Half of what a thread has by default; an optimised build takes far less than a debug build.
    @Test("trees as deep as is allowed are read, written and freed")
    func deepest() {
        let chain = "1" + String(repeating: " + 1", count: 290)
        let shapes: [(String, String, Int)] = [
            ("(", ")", 198), ("[", "]", 198), ("f(", ")", 198), ("EXISTS(q: P WHERE ", ")", 98),
            ("COUNT(q: P WHERE ", ")", 98),
            ("COUNT(", ")", 198), ("x IN (", ")", 198), ("a ?? b or c and d = e < f + g * (", ")", 25),
            ("NOT ", "", 190), ("1 ?? ", "", 190),
        ]
        let sources = shapes.map { open, close, count in
            "MATCH p: P WHERE " + String(repeating: open, count: count) + "(\(chain))"
                + String(repeating: close, count: count) + " RETURN p"
        }
        let faults = onStack(4096) {
            sources.flatMap { source in
                let script = Parser.script(source)
                let text = script.statements.canonicalText
                let again = Parser.script(text)
                return (script.diagnostics + again.diagnostics).map { "\($0.message): \(source.prefix(60))" }
                    + (again.statements.canonicalText == text ? [] : ["differs"])
            }
        }
        #expect(faults == [])
    }
}
