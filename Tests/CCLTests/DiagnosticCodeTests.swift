internal import CCL
import Foundation
internal import Testing

@Suite("Diagnostics of contracts")
struct DiagnosticCodeTests {
    @Test("A code says by its number whether it is an error or a warning", arguments: DiagnosticCode.allCases)
    func severity(code: DiagnosticCode) {
        let number = Int(code.rawValue.suffix(2)) ?? 0
        #expect(code.rawValue.count == 4 && code.rawValue.hasPrefix("C"))
        #expect(code.severity == (number >= 50 ? .warning : .error))
    }

    @Test(
        "An error of the last step is told, however many warnings came before, and no more than are allowed")
    func room() {
        let deep = "x: " + String(repeating: "[", count: 63) + "1" + String(repeating: "]", count: 63) + "\n"
        let doubled = (0..<300).map { _ in "twice: 1;\n" }.joined()
        let compilation = Contract.compile(Array((deep + doubled).utf8))
        #expect(compilation.module == nil && compilation.diagnostics.count == Limits.diagnosticCountMax)
        #expect(compilation.diagnostics.last?.code == .nestedTooDeeply)
    }
}

@Suite("The reference of contracts")
struct ContractReferenceTests {
    @Test("Every code stands in the reference once, and nothing else does")
    func codes() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/CCL/CCL.docc/Diagnostics.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        let listed = text.matches(of: /\| (C[0-9]{3}) \|/).map { String($0.output.1) }
        #expect(listed == DiagnosticCode.allCases.map(\.rawValue))
    }
}
