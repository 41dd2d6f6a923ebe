import Foundation
import FoundationXML
import MeshTestSupport
import Testing

/// Runs the `meshctl` that the build puts beside the test bundle.
private struct OfflineProgram {
    struct Outcome {
        let status: Int32
        let output: String
        let messages: String

        func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
        }
    }

    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    static let package = BuiltProgram.package

    private static let executable = BuiltProgram.path("meshctl") ?? "meshctl"

    static func example(_ name: String) -> String {
        package.appendingPathComponent("examples/\(name)/\(name).wasm").path
    }

    func file(_ name: String, _ contents: some Sequence<UInt8> = []) throws -> String {
        try Data(contents).write(to: URL(fileURLWithPath: directory.file(name)))
        return directory.file(name)
    }

    func run(_ words: String...) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.executable)
        process.arguments = words
        process.currentDirectoryURL = Self.package
        let paths = ["out", "err"].map { directory.file("\($0)-\(UUID().uuidString)") }
        let handles = try paths.map { path in
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            return try #require(FileHandle(forWritingAtPath: path))
        }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let texts = try paths.map {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self)
        }
        return Outcome(status: process.terminationStatus, output: texts[0], messages: texts[1])
    }
}

@Suite("Receipts without a daemon", .tags(.Size.medium))
struct OfflineTests {
    @Test("a module runs here, and its receipt verifies and repeats")
    func story() throws {
        let program = try OfflineProgram()
        let input = try program.file("in.txt", Array("one two two\n".utf8))
        let car = program.directory.file("run.car")
        let run = try program.run(
            "execute", "--wasm", OfflineProgram.example("wordcount"), "--input", "stdin=\(input)",
            "--receipt",
            car)
        #expect(run.status == 0, "\(run.messages)")
        #expect(run.output == "1 3 12\n")
        #expect(run.messages.split(separator: "\n").contains { $0.hasPrefix("fuel used: ") })
        let verified = try program.run("receipt", "verify", car, "--replay")
        #expect(verified.status == 0, "\(verified.output)\(verified.messages)")
        #expect(verified.output.contains("✓ replay"))
        #expect(!verified.output.contains("✗"))
        #expect(verified.output.components(separatedBy: "proves nothing about forks").count == 2)
        let json = try program.run("receipt", "verify", car, "-o", "json").json()
        #expect(json["ok"] as? Bool == true)
        #expect(json["pinned"] as? Bool == false)
        #expect(json["federation"] is NSNull)
        let receipt = try #require(json["receipt_cid"] as? String)
        #expect(run.messages.contains("receipt: \(receipt)\n"))
        #expect((json["checks"] as? [[String: Any]])?.first?["name"] as? String == "container")
        let feeds = try program.run("dag", "verify", car)
        #expect(feeds.status == 0)
        #expect(feeds.output.hasPrefix("✓ "))
    }

    @Test("a damaged receipt ends with 4 and names the check, an unreadable path with 1")
    func damaged() throws {
        let program = try OfflineProgram()
        let car = program.directory.file("run.car")
        let run = try program.run("execute", "-w", OfflineProgram.example("trap"), "--receipt", car)
        #expect(run.status == 3)
        #expect(run.messages.contains("outcome: trap, unreachable\n"))
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: car)))
        bytes[bytes.count / 2] ^= 1
        let bad = try program.file("bad.car", bytes)
        let verified = try program.run("receipt", "verify", bad)
        #expect(verified.status == 4)
        #expect(verified.output.contains("✗ blocks"))
        #expect(try program.run("receipt", "verify", bad, "-o", "json").json()["ok"] as? Bool == false)
        #expect(try program.run("dag", "verify", bad).status == 4)
        let refused = try program.run(
            "anchor-receipt", "--receipt", bad, "--socket", program.directory.file("none"))
        #expect(refused.status == 4)
        #expect(refused.messages.contains("blocks"))
        #expect(
            try program.run("anchor-receipt", "--receipt", car, "--socket", program.directory.file("none"))
                .status == 1)
        #expect(try program.run("receipt", "verify", program.directory.file("none")).status == 1)
        #expect(try program.run("receipt", "verify", car, "--trust", "nonsense").status == 64)
        #expect(try program.run("receipt", "verify", car, "--trust", Self.someCID).status == 4)
    }

    private static let someCID = "bafyreic6y4hockqhmnije3apitkmvzmdgedaefosz2gm75ivpmixydiklq"

    @Test("one key signs any number of receipts without forking its feed")
    func oneKey() throws {
        let program = try OfflineProgram()
        let key = program.directory.file("key.pem")
        let did = try program.run("identity", "create", "--out", key).output
        var receipts: Set<String> = []
        for name in ["a", "b"] {
            let car = program.directory.file("\(name).car")
            let run = try program.run(
                "execute", "-w", OfflineProgram.example("burn"), "--fuel", "100000", "--identity", key,
                "--receipt", car)
            #expect(run.status == 3)
            #expect(run.messages.contains("outcome: fuel\nfuel used: 100000\n"))
            let feeds =
                try program.run("dag", "verify", car, "-o", "json").json()["feeds"] as? [[String: Any]]
            let feed = try #require(feeds?.first)
            #expect(feed["did"] as? String == did.trimmingCharacters(in: .newlines))
            receipts.insert(try #require(feed["scope"] as? String))
        }
        #expect(receipts.count == 2)
        #expect(receipts.allSatisfy { $0.hasPrefix("execute-") })
    }

    @Test("a module that cannot run here is refused with the reason and the byte")
    func refusal() throws {
        let program = try OfflineProgram()
        let file = try program.file("bad.wasm", Array("no module".utf8))
        let run = try program.run("execute", "--wasm", file)
        #expect(run.status == 1)
        #expect(run.messages.contains("(at byte 0)"))
        #expect(try program.run("execute", "--wasm", program.directory.file("none")).status == 1)
        #expect(try program.run("execute").status == 64)
    }

    @Test("an export is drawn, as Graphviz reads it and as a picture of its own")
    func drawing() throws {
        let program = try OfflineProgram()
        let car = program.directory.file("run.car")
        _ = try program.run("execute", "-w", OfflineProgram.example("wordcount"), "--receipt", car)
        let dot = try program.run("dag", "graph", car)
        #expect(dot.status == 0)
        #expect(dot.output.hasPrefix("digraph dag {\n"))
        #expect(dot.output.contains("0\\njob.manifest\\njob.receipt\\njob.close"))
        let picture = program.directory.file("dag.svg")
        #expect(try program.run("dag", "graph", "--format", "svg", "-o", picture, car).status == 0)
        let parser = XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: picture)))
        #expect(parser.parse(), "well-formed XML")
        let damaged = try program.file("bad.car", [1, 2, 3])
        #expect(try program.run("dag", "graph", damaged).status == 1)
    }

    @Test("a federation is worked out without a daemon, and one that cannot agree is refused")
    func federation() throws {
        let program = try OfflineProgram()
        let dids = try (0..<2).map { index in
            try program.run("identity", "create", "--out", program.directory.file("\(index).pem")).output
                .trimmingCharacters(in: .newlines)
        }
        func initialise(_ dids: [String], _ threshold: String) throws -> Outcome {
            try program.run(
                "federation", "init", "friends", "--member", dids[0], "--member", dids[1], "--threshold",
                threshold,
                "-o", "json")
        }
        let first = try initialise(dids, "1").json()["cid"] as? String
        let second = try initialise(dids.reversed(), "1").json()["cid"] as? String
        #expect(first?.hasPrefix("bafyrei") == true)
        #expect(first == second, "the order in which members are named is not part of it")
        let refused = try initialise(dids, "2")
        #expect(refused.status == 1)
        #expect(refused.messages.contains("the executor does not attest itself"))
    }

    private typealias Outcome = OfflineProgram.Outcome
}
