internal import MeshCore
import MEW
import MeshGraph
import MeshTestSupport
import Testing

@Suite("Parts of programs are read by themselves", .tags(.Size.small))
struct ParserEntranceTests {
    @Test("an expression is read whole or not at all")
    func expression() throws {
        #expect(try Parser.expression("1 + 2 * x.a").get().canonicalText == "1 + 2 * x.a")
        #expect(Parser.expression("1 + 2 x").diagnostics.map(\.code) == [.unexpectedToken])
        #expect(
            Parser.expression("").diagnostics.first?.message
                == "expected an expression, found the end of the text")
    }

    @Test("a reactor's trigger is a pattern with its condition")
    func pattern() throws {
        let pattern = try Parser.pattern("d: Document WHERE d.status = 'uploaded'").get()
        #expect(pattern.elements.count == 1)
        #expect(pattern.canonicalText == "d: Document WHERE d.status = \"uploaded\"")
        #expect(Parser.pattern("d: Document RETURN d").value == nil)
    }

    @Test("an ontology is read with its wrapper or without, and tells all its faults")
    func ontology() throws {
        let named = try Parser.ontology("ontology team: core { node A {} }").get()
        #expect(named.name?.text == "team")
        #expect(named.parents.map(\.text) == ["core"])
        let bare = try Parser.ontology("node A {}\nedge e(A, A);\nontology x { node B {} }").get()
        #expect(bare.name == nil)
        #expect(bare.declarations.map(\.name.text) == ["A", "e", "B"])
        #expect(try Parser.ontology(" -- nothing\n").get().declarations.isEmpty)
        let faulty = Parser.ontology("node A { x }\nnode B { y: }\nSHOW STATUS")
        #expect(faulty.diagnostics.map { $0.range?.start.line } == [1, 2, 3])
    }

    @Test("what a statement loads can be cut out of the text and read again")
    func rangeOfOntology() throws {
        let sources = [
            "LOAD ONTOLOGY {\n --- Doc.\n node A { x: Int }\n edge e(A, A) }",
            "--- Doc.\nnode A {}\nedge e(A, A)\nSHOW TYPES",
            "EXTEND ONTOLOGY x { node A {} }", "LOAD ONTOLOGY {}", "ontology x { node A {} }",
        ]
        for source in sources {
            let statements = Parser.script(source).statements
            let ontology: OntologyDeclaration
            switch try #require(statements.first).kind {
            case .loadOntology(let loaded), .extendOntology(let loaded): ontology = loaded
            default: throw Diagnostic(.unexpectedToken, "no ontology")
            }
            let bytes = Array(source.utf8)[ontology.range.start.offset..<ontology.range.end.offset]
            let again = try Parser.ontology(String(decoding: bytes, as: UTF8.self)).get()
            #expect(again.declarations.map(\.canonicalText) == ontology.declarations.map(\.canonicalText))
        }
    }

    @Test("documentation stays with what follows it")
    func documentation() throws {
        let ontology = try Parser.ontology(
            "--- One.\n---\n---  two\nnode A {\n  --- Of it.\n  x: Int }\n---- ruler\nnode B {}"
        ).get()
        guard case .node(let first) = ontology.declarations[0],
            case .node(let second) = ontology.declarations[1]
        else {
            Issue.record("no nodes")
            return
        }
        #expect(first.documentation == "One.\n\n two")
        #expect(first.attributes[0].documentation == "Of it.")
        #expect(second.documentation == nil)
    }

    @Test(
        "values are what they were written as",
        arguments: [
            ("-9223372036854775808", GraphValue.int(.min)), ("9223372036854775807", .int(.max)),
            ("1e3", .float(1000)),
            ("@1970-01-01", .timestamp(0)), ("@1970-01-01T01:00:00.250+01:00", .timestamp(250)),
            ("@1969-12-31T23:59:59.999Z", .timestamp(-1)), ("7.days", .duration(604_800_000)),
            ("1m", .duration(60_000)),
            ("-5.s", .duration(-5000)), ("'a\\'b'", .string("a'b")), ("\"\\ud83d\\ude00\"", .string("😀")),
            ("NULL", .null), ("True", .bool(true)),
        ])
    func literals(_ text: String, _ value: GraphValue) throws {
        guard case .literal(let read) = try Parser.expression(text).get().kind else {
            Issue.record("no literal")
            return
        }
        #expect(read == value)
    }

    @Test("places count characters, not bytes")
    func places() throws {
        let diagnostic = try #require(Parser.script("SHOW STATUS;\nMATCH é").diagnostics.first)
        #expect(diagnostic.range?.start == SourcePosition(offset: 19, line: 2, column: 7))
        #expect(diagnostic.range?.end == SourcePosition(offset: 21, line: 2, column: 8))
    }
}
