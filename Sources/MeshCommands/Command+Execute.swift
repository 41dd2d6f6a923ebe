internal import CommandLineArguments
internal import FoundationEssentials
internal import IPLD
internal import IdentityFiles
internal import JobRuntime
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime

extension CommandEntry {
    static let execute = CommandEntry(
        Command(
            "execute", "Run a module or a graph here, without a mesh",
            discussion: """
                The program's stdout goes to standard output, its stderr and the metering to standard error. Ends
                with status 0 when the program ended well and 3 when it did not. A graph of dataflow runs as it does as a
                job: its sources read the inputs.
                """,
            flags: [
                Flag("wasm", short: "w", .text("FILE"), "The module; - is standard input"),
                Flag(
                    "language", .choice(["wasm", "dataflow"]), "What runs it: dataflow for a graph",
                    default: "wasm"),
                Flag(
                    "input", .pair("NAME=FILE"),
                    "An input: stdin is the program's stdin, others are files /in/NAME; - is standard input",
                    repeatable: true),
                Flag(
                    "arg", .text("TEXT"), "An argument of the program; a graph takes --passes=N",
                    repeatable: true),
                Flag("env", .pair("K=V"), "A variable of the program's environment", repeatable: true),
                Flag("entry", .text("NAME"), "The function to call (default: _start, run or main)"),
                Flag(
                    "fuel", .integer("N", 1...Int(amountMax)), "How much fuel the run may use",
                    default: "100000000"),
                Flag("max-seconds", .integer("N", 1...86_400), "How long it may take", default: "60"),
                Flag("min-memory", .integer("MIB", 1...4096), "Its memory limit", default: "64"),
                Flag("max-output", .integer("BYTES", 0...(1 << 30)), "Its output limit", default: "16777216"),
                Flag("description", short: "d", .text("TEXT"), "What the manifest says of the job"),
                Flag(
                    "output-dir", .text("DIR"),
                    "Write further outputs, such as a graph's capture, into this folder; made where it is missing"
                ),
                Flag("receipt", .text("FILE.car"), "Write a signed receipt that can be verified offline"),
                Flag("identity", .text("FILE.pem"), "The key that signs it (default: a fresh one)"),
            ], operands: [Operand("FILE", "The module or graph, in the place of --wasm", isOptional: true)],
            examples: [
                "meshctl execute --wasm wordcount.wasm --input stdin=README.md",
                "meshctl execute --wasm program.wasm --arg 3 --receipt run.car && meshctl receipt verify run.car --replay",
                "meshctl execute --language dataflow readings-job.json --input readings=readings.txt --output-dir out",
            ])
    ) { context in
        let run = try LocalExecution(context)
        // Before anything is run: what came out would have no place.
        if let folder = context.arguments.text("output-dir") { try context.makeFolder(folder) }
        let runtime = try LocalRuntime()
        let question = CodeQuestion(
            language: run.manifest.language, code: run.code, entry: run.manifest.entry,
            arguments: run.manifest.arguments, limits: run.manifest.limits)
        if let refusal = runtime.jobs.refusal(of: question) {
            let others = refusal.others > 0 ? "; \(refusal.others) more faults" : ""
            throw CommandFailure(
                code: refusal.code, "\(run.source): \(refusal.message)\(others)".onOneLine, hint: refusal.hint
            )
        }
        let started = LocalExecution.now
        let result = runtime.jobs.run(run.request, code: run.code)
        let finished = max(started, LocalExecution.now)
        context.console.writeOutput(result.stdout)
        context.console.writeMessage(result.stderr)
        if !result.stderr.isEmpty, result.stderr.last != UInt8(ascii: "\n") { context.console.message("") }
        if let folder = context.arguments.text("output-dir") {
            for file in result.files { try context.write(file.bytes, to: "\(folder)/\(file.name)") }
            if !result.effects.isEmpty {
                try context.write(
                    RunEffect.lines(result.effects), to: "\(folder)/\(RunBlobs.effectsName)")
            }
        }
        if let path = context.arguments.text("receipt") {
            guard
                let archive = LocalRun.archive(
                    run.manifest, inputs: run.blocks, result: result, engine: runtime.jobs.engine,
                    started: started, finished: finished, signer: run.identity)
            else { throw CommandFailure(code: "receipt.incomplete", "the receipt could not be put together") }
            try context.write(archive.file, to: path)
            context.console.message("receipt: \(archive.receipt)")
        }
        report(result, context)
        return result.outcome.outcomeClass == .ok ? .done : .jobFailed
    }

    private static func report(_ result: RunResult, _ context: CommandContext) {
        let outcome = result.outcome
        var ended = "outcome: \(outcome.outcomeClass.rawValue)"
        if let code = outcome.exitCode { ended += ", exit code \(code)" }
        if let trap = outcome.trap { ended += ", \(trap)" }
        let metering = result.metering
        for line in [
            ended, "fuel used: \(metering.fuel)", "memory peak: \(metering.memoryPeakBytes) bytes",
            "host calls: \(metering.hostCalls)", "input and output: \(metering.ioBytes) bytes",
            "wall time: \(metering.wallMilliseconds) ms",
        ] { context.console.message(line) }
    }
}

/// A run on this machine, as the command line describes it.
private struct LocalExecution {
    let identity: Identity
    /// Where the code comes from, for messages.
    let source: String
    let code: [UInt8]
    let manifest: JobManifest
    let request: RunRequest
    /// Code and inputs.
    let blocks: [Block]

    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    init(_ context: CommandContext) throws {
        let arguments = context.arguments
        identity = try Self.identity(arguments.text("identity"))
        let operand = arguments.operand("FILE")
        if let operand, arguments.has("wasm") {
            throw UsageError("\(operand) and --wasm are two programs; give one of them")
        }
        guard let source = operand ?? arguments.text("wasm") else {
            throw UsageError("execute needs --wasm FILE", hint: "see meshctl execute --help")
        }
        self.source = source
        code = try context.contents(of: source)
        let language = arguments.text("language") ?? "wasm"
        let codeBlocks = BlobList.split(code)
        var blocks = codeBlocks
        var inputs: [JobManifest.Input] = []
        var contents: [CID: [UInt8]] = [:]
        for (name, source) in arguments.pairs("input") {
            guard name.utf8.count <= 255, !name.contains("/"), name != ".", name != ".." else {
                throw UsageError("“\(name)” cannot be the name of an input")
            }
            guard !inputs.contains(where: { $0.name == name }) else {
                throw UsageError("the input \(name) is given twice")
            }
            let bytes = try context.contents(of: source)
            let split = BlobList.split(bytes)
            blocks += split
            contents[split[0].cid] = bytes
            inputs.append(.init(name: name, cid: split[0].cid, size: UInt64(bytes.count)))
        }
        let created = Self.now
        var generator = SystemRandomNumberGenerator()
        let fuel = UInt64(arguments.integer("fuel") ?? 0)
        let memory = UInt64(arguments.integer("min-memory") ?? 64)
        let seconds = UInt64(arguments.integer("max-seconds") ?? 60)
        manifest = JobManifest(
            nonce: (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) },
            submitter: identity.did, placer: identity.did, created: created,
            expires: created + Int64(seconds) * 1000 + 60_000,
            description: arguments.text("description") ?? "", language: language,
            code: codeBlocks[0].cid,
            entry: arguments.text("entry"), arguments: arguments.texts("arg"),
            environment: Dictionary(arguments.pairs("env").map { ($0.key, $0.value) }) { $1 },
            inputs: inputs,
            limits: RunLimits(
                fuel: fuel, memoryBytes: memory << 20,
                outputBytes: UInt64(arguments.integer("max-output") ?? 0), wallMilliseconds: seconds * 1000),
            needs: .init(memoryMiB: memory, languages: [language]),
            resource: .init(amount: (fuel + 999_999) / 1_000_000),
            trust: .init(federation: nil, method: .none, quorum: 0),
            market: .init(mode: .auto, windowMilliseconds: 0, maxBid: 0))
        let record = manifest.encoded
        do throws(IPLDError) { _ = try JobManifest(decoding: record) } catch {
            throw CommandFailure(code: "job.manifest", error.message)
        }
        guard let request = manifest.request(cid: CID(of: record, codec: .dagCBOR), input: { contents[$0] })
        else { throw CommandFailure(code: "job.input", "an input could not be read") }
        self.request = request
        self.blocks = blocks
    }

    private static func identity(_ path: String?) throws -> Identity {
        if let path {
            do throws(IdentityFileError) { return Identity(try IdentityFile.load(path)) } catch {
                throw CommandFailure(code: error.code.rawValue, error.message, hint: error.hint)
            }
        }
        var generator = SystemRandomNumberGenerator()
        let seed = Bytes32((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
        do throws(CryptoError) { return Identity(try Ed25519PrivateKey(seed: seed)) } catch {
            throw CommandFailure(code: error.code.rawValue, error.message)
        }
    }
}
