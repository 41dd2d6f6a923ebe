internal import CommandLineArguments
internal import FoundationEssentials
internal import MeshAPI

/// Statements as they are sent: with the ontology files that they name in the place of the names.
struct GraphScript {
    /// How many files may be loaded from each other.
    private static let depthMax = 8

    let source: String
    /// What diagnostics call it.
    let name: String

    /// Replaces each `LOAD ONTOLOGY FROM "path"`; paths are relative to `directory`.
    ///
    /// A script that is nothing else becomes the file itself, and diagnostics name that. In another the file's
    /// text stands where the statement stood, and lines count from the script's first.
    init(_ text: String, name: String, directory: String = "", depth: Int = 0) throws {
        let script = ScriptText(text)
        let files = script.ontologyFiles
        guard !files.isEmpty else {
            source = text
            self.name = name
            return
        }
        guard depth < Self.depthMax else {
            throw CommandFailure(
                code: "graph.load", "ontology files load each other more than \(Self.depthMax) deep")
        }
        func load(_ path: String) throws -> GraphScript {
            let path = path.hasPrefix("/") || directory.isEmpty ? path : directory + "/" + path
            return try GraphScript(file: path, depth: depth + 1)
        }
        let words = script.tokens.filter { !$0.isSemicolon }
        if files.count == 1, words.count == 4 {
            let only = try load(files[0].path)
            source = only.source
            self.name = only.name
            return
        }
        var result = ""
        var start = 0
        for (range, path) in files {
            result += script.text(start..<range.lowerBound)
            result += try load(path).source
            start = range.upperBound
        }
        source = result + script.text(start..<script.bytes.count)
        self.name = name
    }

    /// Reads a file.
    init(file path: String, depth: Int = 0) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(code: "file.unreadable", "cannot read \(path)")
        }
        let directory =
            path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
        try self.init(
            try Self.text(Array(data), of: path), name: path, directory: directory, depth: depth)
    }

    /// Bytes as text; what is no UTF-8 is refused rather than repaired.
    static func text(_ bytes: [UInt8], of name: String) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(code: "file.encoding", "\(name) is not UTF-8")
        }
        return text
    }
}

extension CommandContext {
    /// The parameters that `--param NAME=VALUE` gives: JSON where the value is JSON, and text otherwise.
    func parameters() -> [String: JSONValue]? {
        let pairs = arguments.pairs("param")
        if pairs.isEmpty { return nil }
        return Dictionary(
            pairs.map { pair in
                let tree = try? JSONTree(reading: pair.value.utf8)
                return (pair.key, tree?.value ?? .text(pair.value))
            }
        ) { _, last in last }
    }
}
