internal import MeshCore
import Foundation
import MEW
import MeshTestSupport
import Testing

@Suite("What is written can be read", .tags(.Size.small))
struct RoundTripTests {
    /// A tree as text without its places: the same for trees that mean the same.
    private func shape(_ tree: some Sendable) -> String {
        String(describing: tree).replacing(
            /MeshCore\.SourceRange\(start: MeshCore\.SourcePosition\([^)]*\), end: MeshCore\.SourcePosition\([^)]*\)\)/,
            with: "")
    }

    @Test("any tree is written and read as the same tree", arguments: Seed.sample(150))
    func statements(_ seed: Seed) {
        var syntax = RandomSyntax(seed.generator)
        let statements = (0..<8).map { _ in syntax.statement() }
        let text = statements.canonicalText
        let again = Parser.script(text)
        for diagnostic in again.diagnostics.prefix(1) {
            Issue.record("\(diagnostic.rendered(source: text, name: "text"))")
        }
        for (first, second) in zip(statements, again.statements)
        where first.canonicalText != second.canonicalText || shape(first) != shape(second) {
            Issue.record(
                "written: \(first.canonicalText)\nread:    \(second.canonicalText)\n\(shape(first))\n\(shape(second))"
            )
            break
        }
        #expect(again.statements.count == statements.count)
    }

    @Test("any expression and any ontology does by itself", arguments: Seed.sample(150))
    func parts(_ seed: Seed) throws {
        var syntax = RandomSyntax(seed.generator)
        for _ in 0..<8 {
            let expression = syntax.expression(5).canonicalText
            let again = try Parser.expression(expression).get().canonicalText
            #expect(again == expression)
        }
        let ontology = syntax.ontology().canonicalText
        #expect(try Parser.ontology(ontology).get().canonicalText == ontology)
        let pattern = syntax.pattern(3).canonicalText
        #expect(try Parser.pattern(pattern).get().canonicalText == pattern)
    }
}
