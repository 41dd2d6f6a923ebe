import MeshTestSupport
import Testing

/// The targets that perform no I/O: given the same inputs at the same instants they do the same.
private let pureTargets = [
    "MeshCore", "MeshAPI", "MeshCrypto", "IPLD", "MeshIdentity", "MeshStorage", "MeshDAG", "MeshRuntime",
    "MeshMarket",
    "MeshFederation", "MeshGossip", "MeshEngine", "MeshGraph", "MEW", "CCL", "Dataflow",
    "ExecutionDocuments",
]

/// The simulator is held to the same: a run follows from its seed.
private let pureFolders = pureTargets.map { "Sources/\($0)" } + ["netsim/MeshSimulator", "Sources/JSON5"]

private let importing = #"^\s*(@\w+ +)*((public|internal|package|private|fileprivate) +)?import +"#

/// What makes a run irreproducible or reaches out of the pure core.
private let bans = [
    Ban(
        pattern: importing
            + #"((struct|class|enum|func|protocol) +)?(Foundation|Glibc|Musl|Darwin|Dispatch|Observation)\b"#,
        instead: "take bytes, or a protocol that an adapter conforms to"),
    Ban(
        pattern:
            #"\b(ContinuousClock|SuspendingClock|UTCClock|clock_gettime|gettimeofday)\b|\bDate(\(|\.now\b)"#,
        instead: "take `now: Timestamp` from the caller"),
    Ban(pattern: #"\bSystemRandomNumberGenerator\b"#, instead: "own a SeededGenerator"),
    Ban(
        pattern:
            #"\.(random\((in:[^,]*)?\)|random\(in:[^,]*$|shuffled\(\)|shuffle\(\)|randomElement\(\))|\bUUID\(\)"#,
        instead: "pass `using: &generator`"),
    Ban(pattern: #"\bTask(\.detached)?\s*(\(|\{)|\bTask\.sleep\b|\bThread\b"#, instead: "return an effect"),
    Ban(
        pattern: #"(^|[^.\w])(print|debugPrint|dump|readLine)\("#,
        instead: "return a value or an effect to show"),
    Ban(
        pattern: #"\bin +[\w.]+\.(keys|values)\s*(\{|where\b|$)"#,
        instead: "write `.keys.sorted()`: the order of a dictionary differs from run to run"),
    Ban(
        pattern:
            #"\.(keys|values)\.(map|flatMap|compactMap|first|forEach|reduce|enumerated|joined|prefix|lazy)\b"#,
        instead: "sort before: the order of a dictionary differs from run to run"),
    Ban(
        pattern: #"\bArray\([\w.]+\.(keys|values)\)"#,
        instead: "write `.sorted()`: the order of a dictionary differs from run to run"),
    Ban(
        pattern:
            #"\bin +Set(<[^>]*>)?\([^(){]*\)\s*\{|\bSet(<[^>]*>)?\([^()]*\)\.(map|flatMap|compactMap|first|forEach|reduce|enumerated|joined|prefix)\b|\bArray\(Set\("#,
        instead: "write `Set(…).sorted()`: the order of a set differs from run to run"),
]

/// The control API's types may use the coders of FoundationEssentials, which reach no clock and no file.
private func essentials(_ target: String) -> [Ban] {
    guard target != "MeshAPI" else { return [] }
    return [
        Ban(pattern: importing + #"FoundationEssentials\b"#, instead: "take bytes; JSON belongs to MeshAPI")
    ]
}

/// Only the target that wraps OpenSSL may name a C module, and only that one.
private func foreignImports(_ target: String) -> Ban {
    let pattern = target == "MeshCrypto" ? importing + #"C(?!OpenSSL\b)[A-Z]\w*"# : importing + #"C[A-Z]\w*"#
    return Ban(pattern: pattern, instead: "C libraries are reached through their wrapper target")
}

private struct Plant: Sendable, CustomTestStringConvertible {
    let line: String
    var testDescription: String { line }

    init(_ line: String) { self.line = line }
}

@Suite("The pure targets stay reproducible", .tags(.Size.small))
struct DeterminismTests {
    @Test(
        "no pure target reaches for a clock, chance, a task, the world or an unordered walk",
        arguments: pureFolders)
    func pure(_ folder: String) throws {
        let target = String(folder.split(separator: "/").last ?? "")
        let files = try SourceFile.all(below: folder, endings: [".swift"])
        #expect(!files.isEmpty, "\(folder) is not where this test looks")
        for file in files {
            for finding in try file.findings(
                bans + essentials(target) + [foreignImports(target)], codeOnly: true)
            {
                Issue.record("\(finding)")
            }
        }
    }

    @Test(
        "each kind of violation is found where it is planted",
        arguments: [
            "import Foundation", "public import Dispatch", "internal import Glibc",
            "@preconcurrency import Foundation",
            "import struct Foundation.Data", "import FoundationEssentials", "import CLMDB",
            "internal import CWasmtime",
            "let start = ContinuousClock.now", "let start = Date()", "let start = Date.now",
            "SuspendingClock().now",
            "let n = Int.random(in: 0...5)", "let n = Bool.random()", "names.shuffled()", "names.shuffle()",
            "names.randomElement()", "let id = UUID()", "var generator = SystemRandomNumberGenerator()",
            "Task { await run() }", "Task.detached { }", "Task(priority: .low) { }",
            "try await Task.sleep(for: .seconds(1))",
            "print(value)", "    dump(self)", "for key in jobs.keys {", "for job in self.state.jobs.values {",
            "for job in jobs.values where job.isOpen {", "let names = jobs.keys.map { $0.name }",
            "let first = jobs.values.first", "let all = Array(jobs.values)", "for name in Set(names) {",
            "for name in Set<String>(names) {", "return Set(names).map { $0 }", "return Array(Set(names))",
        ].map(Plant.init))
    private func planted(_ plant: Plant) throws {
        let file = SourceFile(path: "Sources/IPLD/Planted.swift", text: "// a comment\n\(plant.line)\n")
        let found = try file.findings(bans + essentials("IPLD") + [foreignImports("IPLD")], codeOnly: true)
        #expect(found.first?.line == 2, "nothing was found in it")
        #expect(found.first?.instead.isEmpty == false)
    }

    @Test(
        "what is reproducible is left alone",
        arguments: [
            "import MeshCore", "public import IPLD", "let n = Int.random(in: 0...5, using: &generator)",
            "names.shuffled(using: &generator)", "for key in jobs.keys.sorted() {",
            "let count = jobs.keys.count",
            "let ids = jobs.values.map(\\.id).sorted()".replacing("values.map", with: "values.sorted().map"),
            "for name in Set(names).sorted() {", "if Set(names).contains(name) {",
            "// print(value) would be wrong here",
            "let text = \"Task { }\"", "let url = \"https://example.org\" // Date()",
            "func printed(_ value: Int) {}",
            "blueprint(value)", "struct TaskRecord {", "let updated = candidate(1)", "CommandLine.arguments",
        ].map(Plant.init))
    private func allowed(_ plant: Plant) throws {
        let file = SourceFile(path: "Sources/IPLD/Planted.swift", text: plant.line)
        #expect(try file.findings(bans + essentials("IPLD") + [foreignImports("IPLD")], codeOnly: true) == [])
    }

    @Test("MeshCrypto may name OpenSSL and no other C module")
    func cryptoImports() throws {
        let bans = [foreignImports("MeshCrypto")]
        #expect(
            try SourceFile(path: "a", text: "internal import COpenSSL").findings(bans, codeOnly: true) == [])
        #expect(
            try SourceFile(path: "a", text: "internal import CCurl").findings(bans, codeOnly: true).count == 1
        )
        #expect(
            try SourceFile(path: "a", text: "import COpenSSLExtra").findings(bans, codeOnly: true).count == 1)
    }
}
