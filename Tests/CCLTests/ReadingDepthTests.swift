import CCL
import Foundation
internal import MeshCore
import MeshTestSupport
import Testing

@Suite("No depth of a contract takes more than a bounded stack", .tags(.Size.small))
struct ReadingDepthTests {
    @Test(
        "any bracket nests as deep as is allowed, and one more is refused once",
        arguments: ["(", "[", "{a: ", "f("])
    func limit(_ open: String) {
        let close = ["(": ")", "[": "]", "{a: ": "}", "f(": ")"][open] ?? ""
        for (count, codes) in [
            (Limits.nestingMax, []), (Limits.nestingMax + 1, [.nestedTooDeeply]),
            (50_000, [.nestedTooDeeply]),
        ]
            as [(Int, [DiagnosticCode])]
        {
            let source =
                "x: " + String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
            #expect(Contract.read(Array(source.utf8)).diagnostics.map(\.code) == codes, "\(count)")
        }
    }

    private static let chains = [
        "x: 1" + String(repeating: " + 1", count: 20_000),
        "x: " + String(repeating: "-", count: 20_000) + "a",
        "x: " + String(repeating: "!", count: 20_000) + "a",
        "x: a" + String(repeating: " && !b || c", count: 10_000),
        "if a { b }" + String(repeating: " else if c { d }", count: 20_000),
        "if a { b }" + String(repeating: " else if c { d }", count: 20_000) + " else { e }",
    ]

    @Test("chains of twenty thousand parts are refused once", arguments: chains.indices)
    func chain(_ index: Int) {
        let codes = Contract.read(Array(Self.chains[index].utf8)).diagnostics.map(\.code)
        #expect(codes == [.nestedTooDeeply])
    }

    @Test("twenty thousand statements, elements and arguments are no depth")
    func wide() {
        for source in [
            String(repeating: "a 1 ", count: 20_000), "x: [" + String(repeating: "1, ", count: 20_000) + "]",
            "f(" + String(repeating: "1, ", count: 20_000) + ")",
            "a" + String(repeating: " b", count: 19_999) + " {}",
            "x: a" + String(repeating: ".b", count: 20_000),
            String(repeating: "a [{b 1 c 2}] ", count: 20_000),
        ] {
            let bytes = Array(source.utf8)
            #expect(Contract.read(bytes).diagnostics.isEmpty)
            #expect(Contract.formatted(bytes).text?.isEmpty == false)
        }
    }

    @Test("the highest trees are read, written and freed on a stack of two megabytes")
    func deepest() {
        let chain = "1" + String(repeating: " + 1", count: Limits.chainMax - 5)
        let branches = "if a { b }" + String(repeating: " else if c { d }", count: Limits.chainMax - 70)
        var sources: [String] = []
        for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("{a: ", "}"), ("a < b + c * -(", ")")] {
            sources.append(
                "x: " + String(repeating: open, count: 63) + "(\(chain))"
                    + String(repeating: close, count: 63))
        }
        for open in ["a {", "if a {", "if a { b } else {", "for i in a {", "on x {", "function f() {"] {
            sources.append(
                String(repeating: open, count: 63) + branches + String(repeating: "}", count: 63))
        }
        let texts = sources
        let faults = onStack(2048) {
            texts.flatMap { source in
                let (tree, diagnostics) = Contract.read(Array(source.utf8))
                let text = Contract.formatted(Array(source.utf8)).text ?? ""
                let again = Contract.formatted(Array(text.utf8)).text
                // A tree that is too high is refused, and is deep all the same.
                let wrong = diagnostics.filter { $0.code != .nestedTooDeeply }.map(\.message)
                return wrong + (diagnostics.isEmpty && again != text ? ["differs: \(source.prefix(60))"] : [])
                    + (tree.statements.count == 1 ? [] : ["no tree"])
            }
        }
        #expect(faults == [])
    }
}
