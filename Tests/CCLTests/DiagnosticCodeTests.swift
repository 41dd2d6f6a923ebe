internal import CCL
internal import Testing

@Suite("Diagnostics of contracts")
struct DiagnosticCodeTests {
    @Test("A code says by its number whether it is an error or a warning", arguments: DiagnosticCode.allCases)
    func severity(code: DiagnosticCode) {
        let number = Int(code.rawValue.suffix(2)) ?? 0
        #expect(code.rawValue.count == 4 && code.rawValue.hasPrefix("C"))
        #expect(code.severity == (number >= 50 ? .warning : .error))
    }
}
