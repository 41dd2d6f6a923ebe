internal import CCL
import Foundation
internal import MeshCore
import Testing

/// Files with what a contract of theirs must give: `name.ccl` beside `name.out`.
///
/// A difference fails the test; `MESH_RECORD=1` writes what was given in its place, to be read before it is kept.
enum CheckingGolden {
    static let folder =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Golden/checking"

    static var isRecording: Bool { ProcessInfo.processInfo.environment["MESH_RECORD"] == "1" }

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder)
        return (files ?? []).filter { $0.hasSuffix(".ccl") }.sorted().map { String($0.dropLast(4)) }
    }()

    static func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")), as: UTF8.self)
    }

    static func check(_ given: String, against name: String) throws {
        if isRecording {
            try Data(given.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            return
        }
        let wanted = (try? text(name)) ?? ""
        guard given != wanted else { return }
        let (givenLines, wantedLines) = (
            given.split(separator: "\n", omittingEmptySubsequences: false),
            wanted.split(separator: "\n", omittingEmptySubsequences: false)
        )
        let first = zip(givenLines, wantedLines).prefix { $0 == $1 }.count
        func line(_ lines: [Substring]) -> String { first < lines.count ? String(lines[first]) : "the end" }
        Issue.record(
            """
            \(name) differs at line \(first + 1); MESH_RECORD=1 writes the new text
              wanted: \(line(wantedLines))
              given:  \(line(givenLines))
            """)
    }
}

/// What reading and checking gave for one text.
struct Checked {
    var source: String
    var program: Program?
    var diagnostics: [Diagnostic]
    var spending: Spending

    init(_ source: String, name: String = "test.ccl") {
        self.source = source
        let (tree, faults) = Contract.read(Array(source.utf8))
        let checked = Contract.check(tree, name: name)
        program = checked.program
        diagnostics = faults + checked.diagnostics
        spending = checked.spending
    }

    var codes: [DiagnosticCode] { diagnostics.map(\.code) }

    var errors: [DiagnosticCode] { codes.filter { $0.severity == .error } }

    /// The text under the carets of the first diagnostic with this code.
    func place(of code: DiagnosticCode) -> String? {
        guard let range = diagnostics.first(where: { $0.code == code })?.range else { return nil }
        let bytes = Array(source.utf8)
        guard range.start.offset <= range.end.offset, range.end.offset <= bytes.count else { return nil }
        return String(decoding: bytes[range.start.offset..<range.end.offset], as: UTF8.self)
    }
}
