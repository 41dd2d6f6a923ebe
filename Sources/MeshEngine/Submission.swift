internal import MeshFederation
internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshCrypto
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime

/// A request to submit a job, checked and turned into a manifest; every default is applied here.
enum Submission {
    /// An hour, unless `--deadline` says otherwise.
    static let deadlineMilliseconds: Int64 = 3_600_000
    static let wallSeconds: UInt64 = 60
    static let outputByteCount: UInt64 = 16 * 1024 * 1024

    struct Refusal: Error {
        let error: APIError
    }

    private static func refuse(_ code: String, _ message: String, hint: String? = nil) -> Refusal {
        Refusal(error: APIError(code: code, message: message, hint: hint))
    }

    private static func amount(_ value: Int?, _ name: String, default standard: UInt64) throws(Refusal)
        -> UInt64
    {
        guard let value else { return standard }
        guard value >= 0, UInt64(value) <= amountMax else {
            throw refuse("job.limit", "\(name) must be from 0 to \(amountMax), not \(value)")
        }
        return UInt64(value)
    }

    private static func cid(_ text: String, _ name: String) throws(Refusal) -> CID {
        do throws(IPLDError) { return try CID(text) } catch {
            throw refuse("job.cid", "\(name): \(error.message)")
        }
    }

    /// Builds the manifest.
    ///
    /// - Parameters:
    ///   - request: What was asked for.
    ///   - settings: The submitter's node.
    ///   - submitter: Whose feed will hold the manifest.
    ///   - placer: Who awards.
    ///   - after: The manifests of the jobs that must come first.
    ///   - nonce: Fresh randomness.
    ///   - now: The submitter's clock.
    /// - Returns: A manifest that others will read as it is meant.
    /// - Throws: The first thing that is wrong with the request.
    static func manifest(
        _ request: SubmitRequest, settings: NodeSettings, submitter: DID, placer: DID, after: [CID],
        nonce: [UInt8], now: Timestamp
    ) throws(Refusal) -> JobManifest {
        let resource = JobManifest.Resource(
            type: request.resourceType ?? "compute",
            amount: try amount(request.resourceAmount, "resource_amount", default: 100),
            scope: request.scope ?? "default")
        guard resource.amount > 0, resource.amount <= amountMax / 1_000_000 else {
            throw refuse("job.limit", "resource_amount must be from 1 to \(amountMax / 1_000_000)")
        }
        let budget = resource.amount * 1_000_000
        let memory = try amount(request.minMemory, "min_memory", default: 64)
        guard memory >= 1, memory <= 4096 else {
            throw refuse("job.limit", "min_memory must be from 1 to 4096 MiB, not \(memory)")
        }
        let limits = RunLimits(
            fuel: min(budget, try amount(request.fuel, "fuel", default: budget)), memoryBytes: memory << 20,
            outputBytes: try amount(request.maxOutput, "max_output", default: outputByteCount),
            wallMilliseconds: try amount(request.maxSeconds, "max_seconds", default: wallSeconds) * 1000)
        guard let priority = priority(request.priority ?? "medium") else {
            throw refuse(
                "job.priority", "\"\(request.priority ?? "")\" is not a priority",
                hint: "low, medium, high or critical")
        }
        guard let method = JobManifest.Trust.Method(rawValue: request.verify ?? "replay") else {
            throw refuse(
                "job.verify", "\"\(request.verify ?? "")\" is not a way to verify",
                hint: "none, signature or replay")
        }
        let quorum = try amount(request.quorum, "quorum", default: settings.federation?.threshold ?? 0)
        if let bundle = settings.federation, method != .none, quorum > UInt64(bundle.members.count - 1) {
            throw refuse(
                "job.federation",
                "a quorum of \(quorum) cannot be met: the federation has \(bundle.members.count) members and the executor does not attest itself",
                hint: "ask for \(bundle.members.count - 1) at most")
        }
        if settings.federationCID == nil, request.quorum ?? 0 > 0, method != .none {
            throw refuse(
                "job.federation", "this node belongs to no federation that could fill a quorum of \(quorum)")
        }
        let draws = try (request.tokens ?? []).map { text throws(Refusal) in try cid(text, "token") }
        var inputs: [JobManifest.Input] = []
        for input in request.inputs ?? [] {
            guard !input.name.isEmpty, input.name.utf8.count <= 255, !input.name.contains("/"),
                input.name != ".",
                input.name != ".."
            else { throw refuse("job.input", "\"\(input.name)\" cannot be the name of an input") }
            guard !inputs.contains(where: { $0.name == input.name }) else {
                throw refuse("job.input", "two inputs are named \"\(input.name)\"")
            }
            inputs.append(
                JobManifest.Input(
                    name: input.name, cid: try cid(input.cid, "input \(input.name)"),
                    size: try amount(input.size, "the size of \(input.name)", default: 0)))
        }
        guard inputs.count <= 64 else {
            throw refuse("job.input", "a job has 64 inputs at most, not \(inputs.count)")
        }
        let window = try amount(request.bidWindowMs, "bid_window", default: 2_000)
        guard window <= 3_600_000 else { throw refuse("job.limit", "a bid window is an hour at most") }
        let deadline = try amount(request.deadlineMs, "deadline", default: UInt64(deadlineMilliseconds))
        let reputation = try amount(request.minReputation, "min_reputation", default: 0)
        guard reputation <= 100 else { throw refuse("job.limit", "min_reputation is from 0 to 100") }
        let attempts = try amount(request.retry, "retry", default: 3)
        let manifest = JobManifest(
            nonce: nonce, submitter: submitter, placer: placer, created: now,
            expires: now + Int64(clamping: max(deadline, window + 1)), description: request.description ?? "",
            language: request.language ?? "wasm", code: try cid(request.wasm, "wasm"), entry: request.entry,
            arguments: request.args ?? [], environment: request.env ?? [:], inputs: inputs, limits: limits,
            needs: JobManifest.Needs(
                cpu: max(1, try amount(request.minCpu, "min_cpu", default: 1)), memoryMiB: memory,
                languages: [request.language ?? "wasm"], location: request.location,
                labels: request.labels ?? [:],
                minReputation: reputation), priority: priority, resource: resource, draws: draws,
            trust: JobManifest.Trust(federation: settings.federationCID, method: method, quorum: quorum),
            market: JobManifest.Market(
                mode: request.auto == true ? .auto : .manual, windowMilliseconds: window,
                maxBid: try amount(request.maxBid, "max_bid", default: resource.amount)),
            retry: JobManifest.Retry(attempts: max(1, attempts)), after: after)
        // One way to be sure that others will read it: read it as they do.
        do throws(IPLDError) { _ = try JobManifest(decoding: manifest.encoded) } catch {
            throw refuse("job.manifest", error.message)
        }
        guard manifest.encoded.count <= 128 * 1024 else {
            throw refuse(
                "job.manifest", "arguments, environment and description come to more than 128 KiB",
                hint: "pass large data with --input")
        }
        return manifest
    }

    private static func priority(_ word: String) -> JobManifest.Priority? {
        switch word {
        case "low": .low
        case "medium": .medium
        case "high": .high
        case "critical": .critical
        default: nil
        }
    }

    /// The request that makes the same job again.
    static func request(_ manifest: JobManifest) -> SubmitRequest {
        SubmitRequest(
            wasm: "\(manifest.code)", description: manifest.description, entry: manifest.entry,
            language: manifest.language, resourceType: manifest.resource.type,
            resourceAmount: Int(clamping: manifest.resource.amount), scope: manifest.resource.scope,
            priority: "\(manifest.priority)", minMemory: Int(clamping: manifest.needs.memoryMiB),
            minCpu: Int(clamping: manifest.needs.cpu),
            inputs: manifest.inputs.map {
                InputReference(name: $0.name, cid: "\($0.cid)", size: Int(clamping: $0.size))
            },
            args: manifest.arguments, env: manifest.environment, fuel: Int(clamping: manifest.limits.fuel),
            maxSeconds: Int(clamping: manifest.limits.wallMilliseconds / 1000),
            verify: manifest.trust.method.rawValue,
            quorum: Int(clamping: manifest.trust.quorum), auto: manifest.market.mode == .auto,
            bidWindowMs: Int(clamping: manifest.market.windowMilliseconds),
            maxOutput: Int(clamping: manifest.limits.outputBytes),
            maxBid: Int(clamping: manifest.market.maxBid),
            minReputation: Int(clamping: manifest.needs.minReputation), location: manifest.needs.location,
            labels: manifest.needs.labels, after: manifest.after.map { JobID(manifest: $0).description },
            retry: Int(clamping: manifest.retry.attempts),
            deadlineMs: Int(clamping: manifest.expires - manifest.created))
    }
}
