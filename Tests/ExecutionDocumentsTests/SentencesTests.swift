import Foundation
import MeshTestSupport
import Testing

@Suite("The table of sentences", .tags(.Size.small))
struct SentencesTests {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The functions of each suite that are tests, as `Folder/Suite.function`.
    private static func tests() throws -> Set<String> {
        var names: Set<String> = []
        for folder in ["ControlTests", "ExecutionDocumentsTests", "ExecutionStoreTests"] {
            let path = package.appendingPathComponent("Tests/\(folder)")
            for file in try FileManager.default.contentsOfDirectory(atPath: path.path)
            where file.hasSuffix("Tests.swift") {
                let text = try String(contentsOf: path.appendingPathComponent(file), encoding: .utf8)
                var isTest = false
                for line in text.components(separatedBy: "\n") {
                    if line.contains("@Test(") { isTest = true }
                    guard let function = line.firstMatch(of: /^    func (\w+)\(/) else { continue }
                    if isTest { names.insert("\(folder)/\(file.dropLast(6)).\(function.1)") }
                    isTest = false
                }
            }
        }
        return names
    }

    @Test("every sentence has a test that is there, or a reason why it has none")
    func table() throws {
        let path = "Sources/ExecutionDocuments/ExecutionDocuments.docc/Sentences.md"
        let text = try String(contentsOf: Self.package.appendingPathComponent(path), encoding: .utf8)
        let tests = try Self.tests()
        #expect(tests.count > 40)
        var held = 0
        for line in text.components(separatedBy: "\n")
        where line.hasPrefix("| ") && !line.hasPrefix("| sentence") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 2 else {
                Issue.record("not two cells: \(line)")
                continue
            }
            if let name = cells[1].wholeMatch(of: /`([\w\/.]+)`/) {
                #expect(tests.contains(String(name.1)), "\(name.1) is not there")
                held += 1
            } else {
                #expect(cells[1].count > 15, "neither a test nor a reason: \(line)")
            }
            // A reason may name a test too.
            for name in cells[1].matches(of: /`(\w+Tests\.\w+)`/) {
                #expect(tests.contains { $0.hasSuffix("/\(name.1)") }, "\(name.1) is not there")
            }
        }
        #expect(held > 60)
    }
}
