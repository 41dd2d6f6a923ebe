import CCL
import Foundation
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("The example contracts", .tags(.Size.medium))
struct ExampleContractTests {
    static let folder = Engines.package.appendingPathComponent("examples/ccl")
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".ccl") }.sorted()

    private func source(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(name)))
    }

    @Test("There are examples, one of which is refused")
    func examples() {
        #expect(Self.names.count >= 5 && Self.names.contains("refused.ccl"), "\(Self.names)")
    }

    @Test("An example has no errors and is laid out as the formatter lays it out", arguments: names)
    func layout(name: String) throws {
        let bytes = try source(name)
        let errors = Contract.compile(bytes, name: name).diagnostics.filter { $0.severity == .error }
        #expect(errors.isEmpty, "\(errors)")
        let formatted = try #require(Contract.formatted(bytes).text)
        #expect(formatted == String(decoding: bytes, as: UTF8.self))
    }

    @Test(
        "An example ends well, and one whose first comment says so is refused when it runs", arguments: names)
    func outcome(name: String) throws {
        let bytes = try source(name)
        let comment = try #require(String(decoding: bytes, as: UTF8.self).split(separator: "\n").first)
        try #require(comment.hasPrefix("// "), "an example says first what it is")
        let compilation = Contract.compile(bytes, name: name)
        let module = try #require(compilation.module).bytes
        let entries = [nil] + (compilation.program?.handlers.map { "on:\($0.event)" } ?? [])
        for entry in entries {
            let run = try Engines.run(module, entry: entry)
            let refusals = run.effects.filter { if case .refused = $0 { true } else { false } }
            if comment.hasPrefix("// Refused ") {
                #expect(run.outcome.trap == "unreachable" && refusals.count == 1 && run.submissions.isEmpty)
                #expect(String(decoding: run.stderr, as: UTF8.self).contains("\(name):"))
            } else {
                #expect(run.outcome.outcomeClass == .ok && refusals.isEmpty, "\(run)")
                #expect(!run.submissions.isEmpty, "an example of contracts submits a job")
            }
        }
    }
}
