import MeshTestSupport
import Testing

/// What no file of the project holds, comments and strings included.
///
/// The patterns are put together from parts, so that this file does not hold them itself.
private let bans = [
    Ban(
        pattern: "(^|[^\\w.$}])/" + "(home|Users|root|workspace|work)/[A-Za-z0-9_.-]+",
        instead: "no path of somebody's machine: look from the package's root, or take a setting"),
    Ban(
        pattern: "\\b(TO" + "DO|FIX" + "ME|XX" + "X|HA" + "CK)\\b",
        instead: "do it, or say plainly in the doc comment what is missing"),
]

private let linesMax = 500

@Suite("The house is tidy", .tags(.Size.small))
struct HouseTests {
    private static func files() throws -> [SourceFile] {
        let endings = [".swift", ".c", ".h", ".modulemap", ".md", ".sh", ".py", ".mew", ".ccl"]
        return try ["Sources", "netsim", "Tests", "examples", "docs"].flatMap {
            try SourceFile.all(below: $0, endings: endings)
        }
    }

    @Test("no file holds a path of somebody's machine or a note that work was left")
    func bansHold() throws {
        let files = try Self.files()
        #expect(files.count > 40)
        for file in files {
            for finding in try file.findings(bans, codeOnly: false) { Issue.record("\(finding)") }
        }
    }

    @Test("no source is longer than 500 lines")
    func length() throws {
        for file in try Self.files() where !file.path.hasSuffix(".md") {
            #expect(
                file.lines.count <= linesMax,
                "\(file.path) has \(file.lines.count) lines: look for its second idea")
        }
    }

    @Test("force-unwrapping, try! and fatalError stay out of the sources")
    func noTraps() throws {
        let traps = [
            Ban(
                pattern: #"\btry!|\bfatalError\(|\bas! "#,
                instead: "throw a coded error, or state a precondition"),
            Ban(pattern: #"[\w)\]]!(\.|\)|,|;|\s*$)"#, instead: "use `guard let` or `??`"),
        ]
        let files = try ["Sources", "netsim"].flatMap { try SourceFile.all(below: $0, endings: [".swift"]) }
        for file in files {
            for finding in try file.findings(traps, codeOnly: true) { Issue.record("\(finding)") }
        }
        let planted = SourceFile(path: "a", text: "let a = b!\nlet c = d!.e\ntry! run()\nif a != b {}\nf(!x)")
        #expect(try planted.findings(traps, codeOnly: true).map(\.line).sorted() == [1, 2, 3])
    }

    @Test("each kind of violation is found where it is planted")
    func planted() throws {
        let lines = [
            "let data = \"/" + "home/ada/mesh\"", "// see /" + "Users/ada/notes.md", "/" + "work/build/x",
            "// TO" + "DO: finish this", "// FIX" + "ME",
        ]
        for line in lines {
            #expect(
                try SourceFile(path: "a", text: line).findings(bans, codeOnly: false).count == 1, "\(line)")
        }
        for line in ["/v1/jobs", "data/" + "root/x", "~/.mesh", "https://example.org/" + "home/x"] {
            #expect(try SourceFile(path: "a", text: line).findings(bans, codeOnly: false) == [], "\(line)")
        }
    }
}
