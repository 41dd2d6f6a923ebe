import CCL
import MeshRuntime
import MeshTestSupport
import Testing

/// Contracts in `Programs`, each with the calls that it must make in `NAME.out`.
///
/// A difference fails the test; `MESH_RECORD=1` writes what was given in its place, to be read before it is kept.
@Suite("Contracts of every kind, in both engines", .tags(.Size.medium))
struct GoldenProgramTests {
    private static let files = GoldenFiles(ending: ".ccl")
    static let names = files.names("Programs")

    private func bytes(_ file: String) throws -> [UInt8] { try Self.files.bytes("Programs/\(file)") }

    @Test("There are programs, and each has its calls written down")
    func programs() {
        #expect(Self.names.count >= 20)
        for name in Self.names {
            #expect((try? bytes("\(name).out")) != nil, "\(name)")
        }
    }

    @Test(
        "A program makes the calls that are written down, in libwasmtime and in wasmkit, printed and on record",
        arguments: names)
    func golden(name: String) throws {
        let source = try bytes("\(name).ccl")
        let program = try #require(Contract.compile(source, name: "\(name).ccl").program)
        var story = try EngineCheck(source, name: "\(name).ccl").story
        var events: [String] = []
        for handler in program.handlers where !events.contains(handler.event) { events.append(handler.event) }
        for event in events {
            story += "on \(event):\n" + (try EngineCheck(source, name: "\(name).ccl", event: event).story)
        }
        try Self.files.check(story, against: "Programs/\(name).out")
    }

    @Test(
        "A program's modules are valid, for both targets, with and without names",
        .enabled(if: Engines.validator != nil, Engines.validatorMissing), arguments: names)
    func valid(name: String) throws {
        try EngineCheck.validate(bytes("\(name).ccl"), name: "\(name).ccl")
    }

    @Test("A program laid out by the formatter does what it did before", arguments: names)
    func formatted(name: String) throws {
        func effects(_ source: [UInt8]) throws -> (effects: [RunEffect], log: [String], outcome: RunOutcome) {
            let module = try #require(Contract.compile(source, name: "\(name).ccl").module)
            let run = try Engines.run(module.bytes)
            // Lines move.
            let log = String(decoding: run.stderr, as: UTF8.self).split(separator: "\n").map {
                String($0.replacing(#/\.ccl:\d+/#, with: ".ccl"))
            }
            return (run.effects, log, run.outcome)
        }
        let source = try bytes("\(name).ccl")
        let text = try #require(Contract.formatted(source).text)
        #expect(Contract.formatted(Array(text.utf8)).text == text)
        let (before, after) = (try effects(source), try effects(Array(text.utf8)))
        #expect(before.effects == after.effects && before.log == after.log && before.outcome == after.outcome)
    }

    @Test(
        "The toolchain's runtime is here to run them",
        .enabled(if: Engines.wasmkit != nil, Engines.wasmkitMissing))
    func toolchain() throws {
        let source = Array("execution { log(\"here\"); }".utf8)
        let module = try #require(
            Contract.compile(source, options: EmissionOptions(target: .wasi)).module)
        let printed = try #require(try Engines.runInToolchain(module.bytes))
        #expect(String(decoding: printed.output, as: UTF8.self) == "log\there\n" && printed.status == 0)
    }

    @Test("The contract of the project's first document compiles to at most 400 bytes without names")
    func document() throws {
        let module = try #require(
            Contract.compile(
                bytes("document.ccl"), options: EmissionOptions(names: false)
            ).module)
        #expect(module.bytes.count <= 400, "\(module.bytes.count)")
    }
}
