import Foundation
import Testing

/// Files with what a text of theirs must give: `name.ccl` beside `name.out`.
///
/// A difference fails the test; `MESH_RECORD=1` writes what was given in its place, to be read before it is kept.
enum Golden {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

    static var isRecording: Bool { ProcessInfo.processInfo.environment["MESH_RECORD"] == "1" }

    /// The names of the files of a folder that end in `ending`, sorted, without it.
    static func names(_ directory: String, ending: String = ".ccl") -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(directory)")
        return (files ?? []).filter { $0.hasSuffix(ending) }.sorted().map {
            String($0.dropLast(ending.count))
        }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)")))
    }

    static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    /// Holds `given` against the file at `path`, or writes it there.
    static func check(_ given: String, against path: String) throws {
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
