import Foundation
import Testing

/// A folder with graphs and their files, and command lines about it.
final class FlowFolder {
    let path: String
    let daemon: ScriptedDaemon

    init(_ daemon: ScriptedDaemon) throws {
        self.daemon = daemon
        path = FileManager.default.temporaryDirectory.appending(path: "flow-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        return path + "/" + name
    }

    func read(_ name: String) -> String? { try? String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    /// Runs a command with this folder as its root.
    func run(_ words: String...) -> ScriptedDaemon.Outcome { daemon.run(words: words + ["--root", path]) }

    /// `meshctl` as it was built beside these tests.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("meshctl")
    static var hasProgram: Bool { FileManager.default.isExecutableFile(atPath: program.path) }

    /// The real program at work on this folder; `finish` waits for its end.
    final class Running {
        let process = Process()
        private let output = Pipe()
        private let messages = Pipe()
        private var heard: [UInt8] = []

        init(_ words: [String]) throws {
            process.executableURL = FlowFolder.program
            process.arguments = words
            process.standardOutput = output
            process.standardError = messages
            try process.run()
        }

        /// Waits until the program has said `text`, and tells whether it did before its end.
        func hears(_ text: String) -> Bool {
            while !String(decoding: heard, as: UTF8.self).contains(text) {
                let piece = messages.fileHandleForReading.availableData
                if piece.isEmpty { return false }
                heard += piece
            }
            return true
        }

        func finish() -> ScriptedDaemon.Outcome {
            let output = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
            heard += messages.fileHandleForReading.readDataToEndOfFile()
            let text = String(decoding: heard, as: UTF8.self)
            process.waitUntilExit()
            return ScriptedDaemon.Outcome(
                status: process.terminationStatus, outputBytes: output, messages: text)
        }
    }

    /// Starts the program with this folder as its root.
    func start(_ words: [String]) throws -> Running {
        try Running(words + ["--root", path, "--socket", daemon.socketPath])
    }

    /// What `exec list` shows of a protocol, the oldest first.
    func executions(_ protocolName: String, all: Bool = false) throws -> [[String: Any]] {
        let words = ["exec", "list", "--root", path, "-o", "json"] + (all ? ["--all"] : [])
        let list = try #require(try daemon.run(words: words).json() as? [[String: Any]])
        return list.reversed().filter { $0["protocol"] as? String == protocolName }
    }

    /// The uids of a protocol's executions, the oldest first.
    func uids(_ protocolName: String) throws -> [String] {
        try executions(protocolName).compactMap { $0["uid"] as? String }
    }

    /// A snapshot of an execution.
    func snapshot(_ uid: String, _ label: String) throws -> [String: Any] {
        try #require(try run("exec", "show", uid, "--label", label).json() as? [String: Any])
    }

    /// A graph that emits in each pass, with these actions behind it.
    static func acting(_ actions: [(id: String, primitive: String, parameters: String)]) -> String {
        let nodes = actions.map {
            "{ \"id\": \"\($0.id)\", \"primitive\": \"\($0.primitive)\", \"parameters\": \($0.parameters) }"
        }
        let edges = actions.map { "{ \"from\": \"when.event\", \"to\": \"\($0.id).event\" }" }
        return """
            {
                "version": 1, "name": "acting",
                "nodes": [
                    { "id": "yes", "primitive": "const_bool", "parameters": { "value": true } },
                    { "id": "when", "primitive": "emit_if_true" },
                    \(nodes.joined(separator: ",\n"))
                ],
                "edges": [
                    { "from": "yes.value", "to": "when.input" },
                    \(edges.joined(separator: ",\n"))
                ]
            }
            """
    }

    /// A graph whose action calls `url`.
    static func calling(_ url: String, body: String = "") -> String {
        acting([("call", "webhook", "{ \"url\": \"\(url)\", \"body\": \"\(body)\" }")])
    }
}
