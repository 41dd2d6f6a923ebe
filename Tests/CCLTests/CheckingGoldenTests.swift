internal import CCL
internal import MeshCore
internal import MeshTestSupport
import Testing

@Suite("Contracts are checked as they are meant", .tags(.Size.small))
struct CheckingGoldenTests {
    static func outcome(_ source: String, name: String) -> String {
        let checked = Checked(source, name: name)
        var text = ""
        for diagnostic in checked.diagnostics {
            text += diagnostic.rendered(source: source, name: name)
            text += text.hasSuffix("\n") ? "" : "\n"
        }
        if let program = checked.program {
            text += "---- program\n" + CheckingDump.text(program)
            text += "---- explanation\n" + Contract.explanation(program, spending: checked.spending)
        }
        return text
    }

    @Test("each contract of the collection gives what stands beside it", arguments: CheckingGolden.names)
    func golden(_ name: String) throws {
        let source = try CheckingGolden.text("\(name).ccl")
        try CheckingGolden.check(Self.outcome(source, name: "\(name).ccl"), against: "\(name).out")
    }

    @Test("files without fault in their name have none, and the others do")
    func faults() throws {
        #expect(CheckingGolden.names.count >= 20)
        for name in CheckingGolden.names {
            let checked = Checked(try CheckingGolden.text("\(name).ccl"))
            #expect(checked.errors.isEmpty != name.hasPrefix("fault-"), "\(name)")
            #expect((checked.program == nil) == name.hasPrefix("fault-"), "\(name)")
        }
    }

    @Test("every code of checking is shown by some contract of the collection")
    func codes() throws {
        let texts = try CheckingGolden.names.map { try CheckingGolden.text("\($0).out") }
        for code in DiagnosticCode.allCases where !code.rawValue.hasPrefix("C1") {
            #expect(texts.contains { $0.contains("[\(code.rawValue)]") }, "\(code.rawValue)")
        }
    }
}
