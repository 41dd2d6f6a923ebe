import Foundation

/// One source file of the project, by its path from the package's root.
struct SourceFile: Sendable {
    let path: String
    let lines: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
    }

    /// The package's root.
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every file below `folder` whose name ends in one of `endings`, in the order of their paths.
    static func all(below folder: String, endings: [String]) throws -> [SourceFile] {
        let root = package.appendingPathComponent(folder).path
        guard let names = FileManager.default.enumerator(atPath: root) else { return [] }
        let paths = names.compactMap { $0 as? String }.filter { name in
            endings.contains { name.hasSuffix($0) }
        }
        return try paths.sorted().map { name in
            SourceFile(
                path: "\(folder)/\(name)",
                text: try String(contentsOfFile: root + "/" + name, encoding: .utf8))
        }
    }
}

/// A thing that text must not hold, with what to write instead.
struct Ban: Sendable {
    let pattern: String
    let instead: String
}

/// Where a ban was broken.
struct Finding: Equatable, CustomStringConvertible, Sendable {
    let path: String
    let line: Int
    let text: String
    let instead: String

    var description: String { "\(path):\(line): \(text): \(instead)" }
}

extension SourceFile {
    /// Every line that breaks one of `bans`, looking past comments and string literals when `codeOnly`.
    func findings(_ bans: [Ban], codeOnly: Bool) throws -> [Finding] {
        let seen = codeOnly ? lines.map(Self.code) : lines
        var findings: [Finding] = []
        for ban in bans {
            let pattern = try NSRegularExpression(pattern: ban.pattern)
            for (index, line) in seen.enumerated()
            where pattern.firstMatch(in: line, range: NSRange(line.startIndex..., in: line)) != nil {
                let text = lines[index].trimmingCharacters(in: .whitespaces)
                findings.append(Finding(path: path, line: index + 1, text: text, instead: ban.instead))
            }
        }
        return findings
    }

    /// `line` without its comment and without what stands inside quotation marks.
    static func code(_ line: String) -> String {
        var code = ""
        var quoted = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" {
                quoted.toggle()
                code.append(character)
            } else if !quoted {
                if character == "/", previous == "/" { return String(code.dropLast()) }
                code.append(character)
            }
            // A backslash that is escaped itself escapes nothing.
            previous = character == "\\" && previous == "\\" ? " " : character
        }
        return code
    }
}
