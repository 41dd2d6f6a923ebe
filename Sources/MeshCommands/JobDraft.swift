internal import CCL
internal import CommandLineArguments
internal import ControlClient
internal import Dataflow
internal import FoundationEssentials
internal import IPLD
internal import MeshAPI

/// The flags of `submit-job`, from the command line over those from `--file`, before anything is
/// uploaded.
struct JobDraft {
    private let arguments: ParsedArguments
    /// The flags that the file gives, by name, each with its values as they would be typed.
    private let file: [String: [String]]

    init(_ context: CommandContext) throws {
        arguments = context.arguments
        guard let path = arguments.text("file") else {
            file = [:]
            return
        }
        let bytes = try context.contents(of: path)
        guard let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(bytes)),
            case .object(let members) = tree
        else { throw UsageError("\(path) is not a JSON object") }
        var file: [String: [String]] = [:]
        for member in members {
            let name = Self.flagName(member.key)
            guard let flag = CommandEntry.submitFlags.first(where: { $0.name == name }) else {
                let keys = CommandEntry.submitFlags.map {
                    $0.name.map { $0 == "-" ? "_" : String($0) }.joined()
                }
                let near = Suggestion.nearest(to: member.key, among: keys)
                throw UsageError(
                    "\(path): there is no \(member.key)", hint: near.map { "did you mean \($0)?" })
            }
            file[name] = try Self.values(
                member.value, of: flag, unit: member.key.hasSuffix("_ms") ? "ms" : "", path)
        }
        // The file's values are held to the same rules as typed ones.
        let words = file.sorted { $0.key < $1.key }.flatMap { name, values in
            values.map { value in
                CommandEntry.submitFlags.contains { $0.name == name && $0.value == .toggle }
                    ? "--\(name)" : "--\(name)=\(value)"
            }
        }
        let parser = CommandLineParser(program: Command("submit-job", "", flags: CommandEntry.submitFlags))
        do throws(UsageError) {
            _ = try parser.parse(words)
        } catch {
            throw UsageError("\(path): \(error.message)", hint: error.hint)
        }
        self.file = file
    }

    /// The keys of ``SubmitRequest`` are accepted beside the flags' own names.
    private static func flagName(_ key: String) -> String {
        let plurals = [
            "inputs": "input", "args": "arg", "tokens": "token", "labels": "label",
            "bid_window_ms": "bid-window",
            "deadline_ms": "deadline",
        ]
        return plurals[key] ?? key.map { $0 == "_" ? "-" : String($0) }.joined()
    }

    private static func values(_ value: JSONTree, of flag: Flag, unit: String, _ path: String) throws
        -> [String]
    {
        func text(_ value: JSONTree) throws -> String {
            switch value {
            case .text(let text): return text
            case .integer(let number):
                return String(number) + unit
            default: throw UsageError("\(path): \(flag.name) has the wrong type")
            }
        }
        switch value {
        case .null: return []
        case .boolean(let isOn) where flag.value == .toggle: return isOn ? ["true"] : []
        case .array(let elements) where flag.isRepeatable: return try elements.map(text)
        case .object(let members) where flag.isRepeatable:
            return try members.map { "\($0.key)=\(try text($0.value))" }
        default:
            guard flag.value != .toggle else { throw UsageError("\(path): \(flag.name) is true or false") }
            return [try text(value)]
        }
    }

    private func texts(_ flag: String) -> [String]? {
        if arguments.has(flag) { return arguments.texts(flag) }
        guard let values = file[flag], !values.isEmpty else { return nil }
        return values
    }

    private func text(_ flag: String) -> String? { texts(flag)?.last }
    private func integer(_ flag: String) -> Int? { text(flag).flatMap { Int($0) } }
    private func isOn(_ flag: String) -> Bool? { texts(flag) == nil ? nil : true }

    private func pairs(_ flag: String) -> [(String, String)]? {
        texts(flag)?.map { text in
            let equals = text.firstIndex(of: "=") ?? text.endIndex
            return (String(text[..<equals]), String(text[equals...].dropFirst()))
        }
    }

    private func map(_ flag: String) -> [String: String]? {
        pairs(flag).map { Dictionary($0) { _, last in last } }
    }

    /// The request, with the module and the inputs in the daemon's store.
    func uploaded(_ context: CommandContext, _ client: HTTPControlClient) throws -> SubmitRequest {
        let isGraph = text("language") == "dataflow"
        let contract = isGraph ? nil : try self.contract(context)
        let code: String
        if isGraph {
            code = try uploadGraph(context, client)
        } else if let contract {
            code = try client.post("/v1/blobs", bytes: try contract.module().bytes, as: BlobView.self).cid
        } else if let wasm = text("wasm") {
            code = try Self.upload(wasm, context, client).cid
        } else {
            throw UsageError("submit-job needs --wasm FILE|CID", hint: "see meshctl submit-job --help")
        }
        try uploadModules(contract, context, client)
        // A contract's own run needs little; the rest of what it is given is for the jobs that it submits.
        let given = contract.map {
            self.integer("resource-amount") ?? amount($0)
        }
        let own = given.map { min($0, ContractSource.ownUnits) * 1_000_000 }
        var names: Set<String> = []
        let inputs: [InputReference]? = try pairs("input")?.map { name, source in
            guard names.insert(name).inserted else { throw UsageError("the input \(name) is given twice") }
            let blob = try Self.upload(source, context, client)
            return InputReference(name: name, cid: blob.cid, size: blob.size)
        }
        return SubmitRequest(
            wasm: code, description: text("description") ?? contract?.name, entry: text("entry"),
            language: contract == nil ? text("language") : "ccl",
            resourceType: text("resource-type"), resourceAmount: given ?? integer("resource-amount"),
            scope: text("scope"),
            priority: text("priority"), minMemory: integer("min-memory"), minCpu: integer("min-cpu"),
            inputs: inputs, args: texts("arg"), env: map("env"), fuel: integer("fuel") ?? own,
            maxSeconds: integer("max-seconds"), tokens: texts("token"), verify: text("verify"),
            quorum: integer("quorum"), auto: isOn("auto"),
            bidWindowMs: text("bid-window").flatMap(DurationText.milliseconds),
            idempotencyKey: text("idempotency-key"), maxOutput: integer("max-output"),
            allowSelf: isOn("allow-self"), delegate: text("delegate"), maxBid: integer("max-bid"),
            minReputation: integer("min-reputation"), location: text("location"), labels: map("label"),
            after: texts("after"), retry: integer("retry"),
            deadlineMs: text("deadline").flatMap(DurationText.milliseconds))
    }

    /// How much a contract's job is given: what its code or, with `--entry on:EVENT`, its handler is known to use.
    private func amount(_ contract: ContractSource) -> Int {
        let entry = text("entry").flatMap { $0.hasPrefix("on:") ? String($0.dropFirst(3)) : nil }
        return contract.amount(of: text("resource-type") ?? "compute", event: entry)
    }

    /// Stores the graph that is to be submitted, once it is known that it can be a job.
    private func uploadGraph(_ context: CommandContext, _ client: HTTPControlClient) throws -> String {
        let operand = arguments.operand("FILE")
        if let operand, text("wasm") != nil {
            throw UsageError("\(operand) and --wasm are two jobs; give one of them")
        }
        guard let source = operand ?? text("wasm") else {
            throw UsageError("--language dataflow needs a graph: FILE.json, or --wasm FILE|CID")
        }
        if source != "-", !FileManager.default.fileExists(atPath: source), (try? CID(source)) != nil {
            return try Self.upload(source, context, client).cid
        }
        let bytes = try context.contents(of: source)
        let memory = UInt64(clamping: integer("min-memory") ?? 64) << 20
        do throws(JobGraphError) {
            _ = try JobGraph(bytes, arguments: texts("arg") ?? [], memoryBytes: memory)
        } catch {
            throw CommandFailure(describing: error, of: source, in: context)
        }
        return try client.post("/v1/blobs", bytes: bytes, as: BlobView.self).cid
    }

    /// The contract that is to be submitted, compiled; `nil` for a module.
    private func contract(_ context: CommandContext) throws -> ContractSource? {
        let operand = arguments.operand("FILE")
        if let operand, text("wasm") != nil {
            throw UsageError("\(operand) and --wasm are two jobs; give one of them")
        }
        guard let path = operand ?? (text("language") == "ccl" ? text("wasm") : nil) else {
            if text("language") == "ccl" {
                throw UsageError("--language ccl needs a contract, FILE.ccl, or its module with --wasm")
            }
            return nil
        }
        if let language = text("language"), language != "ccl" {
            throw UsageError(
                "\(path) is a contract; --language \(language) does not run it",
                hint: path.hasSuffix(".json") ? "--language dataflow" : "--language ccl")
        }
        // What has been compiled before is submitted as it is.
        if operand == nil, path != "-", !FileManager.default.fileExists(atPath: path) { return nil }
        let bytes = try context.contents(of: path)
        if bytes.starts(with: [0x00, 0x61, 0x73, 0x6d]) {
            guard operand == nil else {
                throw UsageError("\(path) is a module, not a contract", hint: "--language ccl --wasm \(path)")
            }
            return nil
        }
        if path.hasSuffix(".json") {
            throw UsageError("\(path) is no contract", hint: "--language dataflow submits a graph")
        }
        let source = ContractSource(path, bytes: bytes, options: EmissionOptions())
        _ = try source.module()
        source.showDiagnostics(context)
        if context.format == .table, arguments.texts("resource-amount").isEmpty,
            file["resource-amount"] == nil
        {
            let type = text("resource-type") ?? "compute"
            context.console.message(
                "note: the job is given \(amount(source)) \(type), for itself and the jobs that it submits (--resource-amount)"
            )
        }
        return source
    }

    /// Stores the modules that are given beside a contract, and says which of those that it names are not there.
    private func uploadModules(
        _ contract: ContractSource?, _ context: CommandContext, _ client: HTTPControlClient
    ) throws {
        var stored: Set<String> = []
        for path in texts("module") ?? [] { stored.insert(try Self.upload(path, context, client).cid) }
        for module in contract?.compilation.spending.modules ?? [] {
            guard let cid = try? CID(module), !stored.contains("\(cid)") else { continue }
            do {
                _ = try client.bytes("/v1/blobs/\(cid)")
            } catch let refusal as ControlRefusal where refusal.error.code.hasPrefix("blob.") {
                context.console.message(
                    "warning: the module \(cid), which the contract submits, is not in the daemon's store; its job waits for it (--module FILE)"
                )
            }
        }
    }

    /// Stores a file's bytes, or takes a CID at its word and asks the daemon for its size.
    private static func upload(
        _ source: String, _ context: CommandContext, _ client: HTTPControlClient
    ) throws -> BlobView {
        if source != "-", !FileManager.default.fileExists(atPath: source), let cid = try? CID(source) {
            let bytes = try client.bytes("/v1/blobs/\(cid)")
            return BlobView(cid: cid.description, size: bytes.count)
        }
        return try client.post("/v1/blobs", bytes: try context.contents(of: source))
    }
}
