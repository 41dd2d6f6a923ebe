internal import Foundation
internal import Testing

/// Files beside a test, with what a text of theirs must give: `name.ccl` beside `name.out`.
///
/// A difference fails the test; `MESH_RECORD=1` writes what was given in its place, to be read before it is kept.
public struct GoldenFiles: Sendable {
    public let folder: String
    private let ending: String

    /// The files in the folder of `file`, or in folders below it, that end in `ending`.
    public init(beside file: String = #filePath, ending: String) {
        folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        self.ending = ending
    }

    private var isRecording: Bool { ProcessInfo.processInfo.environment["MESH_RECORD"] == "1" }

    /// The names of the files of a folder, sorted, without their ending; `ending` in the place of the usual one.
    public func names(_ directory: String, ending: String? = nil) -> [String] {
        let ending = ending ?? self.ending
        let files = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(directory)")
        return (files ?? []).filter { $0.hasSuffix(ending) }.sorted().map {
            String($0.dropLast(ending.count))
        }
    }

    public func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)")))
    }

    public func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    /// Holds `given` against the file at `path`, or writes it there.
    public func check(_ given: String, against path: String) throws {
        if isRecording {
            try Data(given.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(path)"))
            return
        }
        let wanted = (try? text(path)) ?? ""
        guard given != wanted else { return }
        let (givenLines, wantedLines) = (
            given.split(separator: "\n", omittingEmptySubsequences: false),
            wanted.split(separator: "\n", omittingEmptySubsequences: false)
        )
        let first = zip(givenLines, wantedLines).prefix { $0 == $1 }.count
        let line = { (lines: [Substring]) in first < lines.count ? String(lines[first]) : "the end" }
        Issue.record(
            """
            \(path) differs at line \(first + 1); MESH_RECORD=1 writes the new text
              wanted: \(line(wantedLines))
              given:  \(line(givenLines))
            """)
    }
}
