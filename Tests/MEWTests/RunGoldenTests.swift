import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

/// Rows of system types that are the same in every run.
private final class FixedTables: VirtualTables {
    func rows(
        ofType type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [VirtualRow] {
        guard type == "Job" else { return [] }
        return [("j1", "Completed", Int64(70)), ("j2", "Running", 20), ("j3", "Completed", 90)].map {
            VirtualRow(
                key: $0.0,
                attributes: [
                    GraphAttribute(name: "job_id", value: .string($0.0)),
                    GraphAttribute(name: "status", value: .string($0.1)),
                    GraphAttribute(name: "fuel_used", value: .int($0.2)),
                ])
        }
    }
}

@Suite("Programs give what is written beside them", .tags(.Size.small))
struct RunGoldenTests {
    /// A part of a file that runs by itself: what fails in it stops nothing after it.
    private struct Step {
        let title: String
        var source = ""
        var parameters: [String: GraphValue] = [:]
        var actor: String?
        var stepLimit = 2_000_000
    }

    /// Cuts a file at its lines `-- == title`; `-- given name = literal` `-- actor name` and `-- steps n` hold for
    /// their step.
    private static func steps(_ text: String) -> [Step] {
        var steps: [Step] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- == ") {
                steps.append(Step(title: String(line.dropFirst(6))))
                continue
            }
            if steps.isEmpty { steps.append(Step(title: "start")) }
            let last = steps.count - 1
            if line.hasPrefix("-- given ") {
                let words = line.dropFirst(9).split(separator: "=", maxSplits: 1)
                let name = words[0].filter { $0 != " " }
                if case .literal(let value)? = Parser.expression(String(words[1])).value?.kind {
                    steps[last].parameters[name] = value
                }
            }
            if line.hasPrefix("-- actor ") { steps[last].actor = String(line.dropFirst(9)) }
            if line.hasPrefix("-- steps ") { steps[last].stepLimit = Int(line.dropFirst(9)) ?? 0 }
            steps[last].source += line + "\n"
        }
        return steps
    }

    private static func outcome(_ text: String, name: String) -> String {
        let bench = Workbench()
        bench.virtual = FixedTables()
        var lines: [String] = []
        for step in steps(text) {
            lines.append("== \(step.title)")
            bench.actor = step.actor
            bench.stepLimit = step.stepLimit
            let source = step.source
            do {
                for result in try bench.run(source, step.parameters) {
                    lines += Self.lines(result, source, name)
                }
            } catch let fault as Diagnostic {
                lines.append(fault.rendered(source: source, name: name))
            } catch {
                lines.append("\(error)")
            }
        }
        return normalised(lines.joined(separator: "\n") + "\n", bench)
    }

    private static func lines(_ result: StatementResult, _ source: String, _ name: String) -> [String] {
        let facts = result.summary.map { "\($0.name) \($0.value.shown)" }
        var lines = ["\(result.statement): \(facts.joined(separator: ", "))"]
        if !result.columns.isEmpty { lines.append("  | " + result.columns.joined(separator: " | ")) }
        for row in result.rows { lines.append("  > " + row.map(\.shown).joined(separator: " | ")) }
        for warning in result.warnings { lines.append(warning.rendered(source: source, name: name)) }
        return lines
    }

    /// Without what a hash or a key decides.
    private static func normalised(_ text: String, _ bench: Workbench) -> String {
        var text = text
        let author = "\(bench.author)"
        for long in [author, String(author.dropFirst("did:key:".count))] {
            text = Text.split(text, at: long).joined(separator: "me")
        }
        let parts = Text.split(text, at: "bafyrei")
        return parts[0]
            + parts.dropFirst().map { part in "<cid>" + part.drop { $0.isLetter || $0.isNumber } }.joined()
    }

    @Test(
        "each program of the collection gives what is beside it", arguments: goldenFiles.names("Golden/run"))
    func golden(_ name: String) throws {
        let text = try goldenFiles.text("Golden/run/\(name).mew")
        try goldenFiles.check(Self.outcome(text, name: "\(name).mew"), against: "Golden/run/\(name).out")
    }

    /// Codes that no program of the collections gives, and why.
    private static let exceptions: [String: String] = [
        "E3104": "a million entities: E9023 and the depth end smaller runs",
        "E3504": "only a change that no parser has made has the wrong number: SchemaChangeTests",
        "E5005": "a million operations: the bound is one comparison",
        "E6001": "a store that fails",
    ]

    @Test("every code is shown by some program of the collections, or there is a reason")
    func codes() throws {
        let texts = try ["Golden/run", "Golden/parse"].flatMap { folder in
            try goldenFiles.names(folder, ending: ".out").map { try goldenFiles.text("\(folder)/\($0).out") }
        }
        for code in ErrorCode.allCases {
            let isShown = texts.contains {
                $0.contains("error[\(code.rawValue)]") || $0.contains("warning[\(code.rawValue)]")
            }
            // The watch machine's own tests show its codes.
            let isExcused = Self.exceptions[code.rawValue] != nil || code.rawValue.hasPrefix("E80")
            #expect(isShown || isExcused, "\(code.rawValue) \(code)")
            #expect(
                !(isShown && Self.exceptions[code.rawValue] != nil), "\(code.rawValue) needs no excuse")
        }
    }
}

extension ResultValue {
    /// As golden files have it: entities with what they hold.
    fileprivate var shown: String {
        guard case .entity(let entity) = self else {
            if case .list(let values) = self {
                return "[" + values.map(\.shown).joined(separator: ", ") + "]"
            }
            return text
        }
        let facts = entity.attributes.map { "\($0.name) = \($0.value.text)" }.joined(separator: ", ")
        let targets = entity.targets.map { "(\($0.joined(separator: ", ")))" } ?? ""
        return "\(entity.type)\(targets) \(entity.id) {\(facts)}"
    }
}
