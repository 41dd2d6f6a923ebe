import Dataflow
import JSON5
import MeshTestSupport
import Testing

@Suite("What is written about the engine is so", .tags(.Size.small))
struct DocumentTests {
    private static let files = GoldenFiles(ending: ".swift")
    private static let documents = "../../Sources/Dataflow/Dataflow.docc"

    @Test("every test that the table of sentences names exists, and every other sentence has a reason")
    func sentences() throws {
        let names = Self.files.names("")
        #expect(names.count > 8)
        let titles = try names.flatMap { name in
            try Self.files.text("\(name).swift").split(separator: "\"").map(String.init)
        }
        let known = Set(titles)
        let rows = try Self.files.text("\(Self.documents)/Sentences.md").split(separator: "\n")
            .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| § ") }
        #expect(rows.count > 50)
        var used: Set<String> = []
        for row in rows {
            let last = String(row.split(separator: "|").last ?? "").drop { $0 == " " }
            if last.hasPrefix("none: ") { continue }
            let named = last.split(separator: "`").enumerated().filter { $0.offset % 2 == 0 }.map {
                String($0.element)
            }
            #expect(last.hasPrefix("`") && !named.isEmpty, "\(row)")
            let title = named.first ?? ""
            #expect(known.contains(title), "no test is called “\(title)”")
            used.insert(title)
            for more in named.dropFirst() where more.hasPrefix("§") {
                #expect(known.contains(more), "no test is called “\(more)”")
                used.insert(more)
            }
        }
        let sections = Set(titles.filter { $0.hasPrefix("§") && !$0.contains("| ") })
        // What was decided beyond the model's sentences.
        let ours = "§5 a pass whose nodes cannot all be evaluated leaves the state as it was"
        #expect(sections.subtracting(used).filter { $0.count > 3 } == [ours])
    }

    /// The members that a schema lists for an object.
    private func properties(_ schema: JSON5Value, _ name: String?) -> [String] {
        var value: JSON5Value? = schema
        for key in (name.map { ["$defs", $0] } ?? []) + ["properties"] {
            guard case .object(let members) = value?.content else { return [] }
            value = members.first { $0.key == key }?.value
        }
        guard case .object(let members) = value?.content else { return [] }
        return members.map(\.key).sorted()
    }

    @Test("the published schema lists the members that the reader knows, and no others")
    func schema() throws {
        let schema = try JSON5Parser.parse(try Self.files.text("\(Self.documents)/graph.schema.json"))
        // An object with one member that is not known is refused; one with all that the schema lists is not for that.
        let places: [(String?, (String) -> String)] = [
            (nil, { "{\($0)}" }), ("node", { "{version: 1, nodes: [{\($0)}]}" }),
            ("edge", { "{version: 1, nodes: [], edges: [{\($0)}]}" }),
            ("output", { "{version: 1, nodes: [], outputs: [{\($0)}]}" }),
            ("cluster", { "{version: 1, nodes: [], clusters: [{\($0)}]}" }),
            ("input", { "{version: 1, nodes: [], clusters: [{id: \"c\", nodes: [], inputs: [{\($0)}]}]}" }),
            (
                "parameter",
                { "{version: 1, nodes: [], clusters: [{id: \"c\", nodes: [], parameters: [{\($0)}]}]}" }
            ),
            (
                "exposed",
                { "{version: 1, nodes: [{id: \"n\", primitive: \"not\", parameters: {p: {\($0)}}}]}" }
            ),
        ]
        for (name, text) in places {
            let listed = properties(schema, name)
            #expect(!listed.isEmpty)
            for key in listed + ["unheard_of"] {
                let error = #expect(throws: JSON5Error.self) { try GraphFile(text("\"\(key)\": [[]]")) }
                let isUnknown = error?.faults.contains { $0.message.hasPrefix("is not a setting") } ?? false
                #expect(isUnknown == (key == "unheard_of"), "\(name ?? "graph").\(key)")
            }
        }
    }
}
