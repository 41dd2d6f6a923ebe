import CCL
import MeshRuntime
import Testing

/// A contract in both engines and for both targets, held against itself.
struct EngineCheck {
    /// What the run printed, call by call, and how it ended.
    let story: String

    /// The four ways in which a module is made.
    static let options = [EmissionOptions.Target.host, .wasi].flatMap { target in
        [true, false].map { EmissionOptions(names: $0, target: target) }
    }

    /// Runs one entry of a contract wherever it can be run, and records what differs.
    ///
    /// The text must have no errors; `event` is the handler to run, and none is the contract's own code.
    init(
        _ source: [UInt8], name: String, event: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let entry = event.map { "on:\($0)" }
        let what = "\(name)\(event.map { ", on \($0)" } ?? "")"
        func module(_ target: EmissionOptions.Target, names: Bool = true) throws -> [UInt8] {
            let compilation = Contract.compile(
                source, name: name, options: EmissionOptions(names: names, target: target))
            let errors = compilation.diagnostics.filter { $0.severity == .error }
            return try #require(
                compilation.module, "\(what): \(errors)", sourceLocation: sourceLocation
            ).bytes
        }
        let requirements = try #require(Contract.compile(source, name: name).program).requirements

        // For WASI: the engine of the mesh, and the toolchain's.
        let printing = try module(.wasi)
        let printed = try Engines.run(printing, entry: entry)
        let isTrapped = printed.outcome.outcomeClass == .trap
        #expect(
            isTrapped ? printed.outcome.trap == "unreachable" : printed.outcome.outcomeClass == .ok,
            "\(what): \(printed.outcome)", sourceLocation: sourceLocation)
        #expect(printed.stderr.isEmpty, sourceLocation: sourceLocation)
        let text = String(decoding: printed.stdout, as: UTF8.self)
        if let elsewhere = try Engines.runInToolchain(
            entry.map { try Self.starting(at: $0, in: printing) } ?? printing)
        {
            let isSame = elsewhere.output == printed.stdout
            #expect(
                isSame, "\(what): wasmkit printed \(String(decoding: elsewhere.output, as: UTF8.self))",
                sourceLocation: sourceLocation)
            #expect(
                (elsewhere.status != 0) == isTrapped && elsewhere.errors.contains("unreachable") == isTrapped,
                "\(what): wasmkit ended with \(elsewhere.status): \(elsewhere.errors)",
                sourceLocation: sourceLocation)
        }

        // For the mesh: what is on record is what was printed.
        let asked = try Engines.run(try module(.host, names: false), entry: entry)
        #expect(
            asked.outcome == printed.outcome, "\(what): \(asked.outcome)", sourceLocation: sourceLocation)
        let calls = try PrintedCall.calls(in: text)
        #expect(
            asked.effects == (try calls.compactMap { try $0.effect(requirements) }), "\(what)",
            sourceLocation: sourceLocation)
        #expect(
            String(decoding: asked.stderr, as: UTF8.self)
                == (try calls.compactMap { try $0.logLine() }.map { $0 + "\n" }.joined()), "\(what)",
            sourceLocation: sourceLocation)
        #expect(asked.stdout.isEmpty, sourceLocation: sourceLocation)
        story = text + "ends: " + (isTrapped ? "unreachable" : "ok") + "\n"
    }

    /// The module with the names of `_start` and another export of as many bytes exchanged: the toolchain's runtime
    /// calls nothing but `_start`.
    static func starting(at entry: String, in module: [UInt8]) throws -> [UInt8] {
        try #require(entry.utf8.count == "_start".utf8.count, "an event of three letters")
        func place(_ name: String) throws -> Range<Int> {
            let bytes = [UInt8(name.utf8.count)] + Array(name.utf8) + [0]
            let found = module.ranges(of: bytes)
            return try #require(found.count == 1 ? found.first : nil, "\(name) is not there once")
        }
        let (start, other) = (try place("_start"), try place(entry))
        var exchanged = module
        exchanged.replaceSubrange(start, with: module[other])
        exchanged.replaceSubrange(other, with: module[start])
        return exchanged
    }

    /// Shows all four modules of a contract to the validator.
    static func validate(
        _ source: [UInt8], name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for options in options {
            let module = try #require(Contract.compile(source, name: name, options: options).module)
            let objection = try Engines.objection(to: module.bytes)
            #expect(objection == nil, "\(name), \(options)", sourceLocation: sourceLocation)
        }
    }
}
