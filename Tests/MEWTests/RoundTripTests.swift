import MEW
import MeshTestSupport
import Testing

@Suite("What is written can be read", .tags(.Size.small))
struct RoundTripTests {
    @Test("any tree is written, read and written again as the same text", arguments: Seed.sample(150))
    func statements(_ seed: Seed) {
        var syntax = RandomSyntax(seed.generator)
        let statements = (0..<8).map { _ in syntax.statement() }
        let text = statements.canonicalText
        let again = Parser.script(text)
        for diagnostic in again.diagnostics.prefix(1) {
            Issue.record("\(diagnostic.rendered(source: text, name: "text"))")
        }
        for (first, second) in zip(statements, again.statements)
        where first.canonicalText != second.canonicalText {
            Issue.record("written: \(first.canonicalText)\nread:    \(second.canonicalText)")
            break
        }
        #expect(again.statements.count == statements.count)
    }

    @Test("any expression and any ontology does by itself", arguments: Seed.sample(150))
    func parts(_ seed: Seed) throws {
        var syntax = RandomSyntax(seed.generator)
        for _ in 0..<8 {
            let expression = syntax.expression(5).canonicalText
            #expect(try Parser.expression(expression).get().canonicalText == expression)
        }
        let ontology = syntax.ontology().canonicalText
        #expect(try Parser.ontology(ontology).get().canonicalText == ontology)
        let pattern = syntax.pattern(3).canonicalText
        #expect(try Parser.pattern(pattern).get().canonicalText == pattern)
    }
}
