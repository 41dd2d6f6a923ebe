public import IPLD
public import MeshCore
public import MeshIdentity
public import MeshMarket
public import MeshRuntime

/// A member's signed verdict on a receipt.
public struct Attestation: Hashable, Sendable {
    public static let kind = "federation.attestation"

    public enum Verdict: String, Hashable, Sendable, CaseIterable {
        case verified
        /// Outputs or fuel differ from what the receipt says.
        case mismatch
        /// The run cannot be repeated: a time limit, a node fault, another engine or profile.
        case unverifiable
    }

    public enum Method: String, Hashable, Sendable, CaseIterable { case signature, replay }

    /// What the member saw when it ran the job itself.
    public struct Observation: Hashable, Sendable {
        public var outcome: RunOutcome
        public var outputs: [NamedBlob]
        public var fuel: UInt64
        /// The blocks of the jobs that the run asked for.
        public var submissions: [CID]

        public init(outcome: RunOutcome, outputs: [NamedBlob], fuel: UInt64, submissions: [CID] = []) {
            self.outcome = outcome
            self.outputs = outputs
            self.fuel = fuel
            self.submissions = submissions
        }
    }

    /// Who speaks: the author of the feed it stands in, and named here too so that two members who
    /// find the same do not publish one and the same record.
    public var member: DID
    public var receipt: CID
    public var close: CID?
    /// The body CID of the bundle under which the member speaks.
    public var bundle: CID
    public var verdict: Verdict
    public var method: Method
    public var observed: Observation?
    public var reason: String?

    public init(
        member: DID, receipt: CID, close: CID?, bundle: CID, verdict: Verdict, method: Method,
        observed: Observation?,
        reason: String?
    ) {
        self.member = member
        self.receipt = receipt
        self.close = close
        self.bundle = bundle
        self.verdict = verdict
        self.method = method
        self.observed = observed
        self.reason = reason
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("close", ifPresent: close) { $0.link($1) }
            map.field("bundle") { $0.link(bundle) }
            map.field("member") { $0.did(member) }
            map.field("method") { $0.text(method.rawValue) }
            map.field("reason", ifPresent: reason) { $0.text($1) }
            map.field("receipt") { $0.link(receipt) }
            map.field("verdict") { $0.text(verdict.rawValue) }
            map.field("observed", ifPresent: observed) { encoder, observed in
                encoder.map { map in
                    map.field("fuel") { $0.unsigned(observed.fuel) }
                    map.field("outcome") { $0.outcome(observed.outcome) }
                    map.field("outputs") { $0.namedBlobs(observed.outputs) }
                    map.field(
                        "submissions", ifPresent: observed.submissions.isEmpty ? nil : observed.submissions
                    ) { $0.links($1) }
                }
            }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                try map.kind(Self.kind)
                let close = try map.optional("close") { d throws(IPLDError) in try d.link() }
                let bundle = try map.field("bundle") { d throws(IPLDError) in try d.link() }
                let member = try map.field("member") { d throws(IPLDError) in try d.did() }
                let method = try map.choice("method", Method.self)
                let reason = try map.optional("reason") { d throws(IPLDError) in try d.text(atMost: 1024) }
                let receipt = try map.field("receipt") { d throws(IPLDError) in try d.link() }
                let verdict = try map.choice("verdict", Verdict.self)
                let observed = try map.optional("observed") { d throws(IPLDError) in
                    try d.map { map throws(IPLDError) in
                        let fuel = try map.amount("fuel")
                        let outcome = try map.field("outcome") { d throws(IPLDError) in try d.outcome() }
                        let outputs = try map.field("outputs") { d throws(IPLDError) in
                            try d.namedBlobs(atMost: 64)
                        }
                        let submissions = try map.optional("submissions") { d throws(IPLDError) in
                            try d.links(atMost: Int(RunEffectLimits.submissionCountMax))
                        }
                        if let submissions, submissions.isEmpty {
                            throw IPLDError(.schema, "where a run submitted nothing nothing is said of it")
                        }
                        return Observation(
                            outcome: outcome, outputs: outputs, fuel: fuel, submissions: submissions ?? [])
                    }
                }
                return Attestation(
                    member: member, receipt: receipt, close: close, bundle: bundle, verdict: verdict,
                    method: method,
                    observed: observed, reason: reason)
            }
        }
    }

    /// Compares a replay, and the documents that the receipt links, with what the receipt claims.
    ///
    /// - Parameters:
    ///   - receipt: The executor's claim.
    ///   - manifest: The job that it is about.
    ///   - engine: The engine that repeated the run.
    ///   - observed: What came of it; `nil` when it was not repeated.
    /// - Returns: The verdict with, unless it agrees, its reason.
    public static func judge(
        _ receipt: JobReceipt, of manifest: JobManifest, engine: EngineDescription, observed: Observation?
    ) -> (verdict: Verdict, reason: String?) {
        let judged = compare(receipt, engine: engine, observed: observed)
        guard judged.verdict == .verified, !JobExecution.holds(receipt, manifest: manifest) else {
            return judged
        }
        return (.mismatch, "the execution documents that the receipt links are not those of its run")
    }

    /// Compares a replay with what the receipt claims of the run.
    static func compare(
        _ receipt: JobReceipt, engine: EngineDescription, observed: Observation?
    ) -> (verdict: Verdict, reason: String?) {
        guard receipt.outcome.isReplayable else {
            return (.unverifiable, "the outcome \(receipt.outcome.outcomeClass.rawValue) depends on the node")
        }
        guard receipt.engine == engine else {
            return (
                .unverifiable, "run by \(receipt.engine.name) \(receipt.engine.version) under another profile"
            )
        }
        guard let observed else { return (.unverifiable, "the run was not repeated") }
        guard observed.outcome.isReplayable else {
            return (
                .unverifiable,
                "the repetition ended with \(observed.outcome.outcomeClass.rawValue) on this node"
            )
        }
        if observed.outcome != receipt.outcome {
            return (
                .mismatch,
                "the outcome is \(describe(observed.outcome)), the receipt says \(describe(receipt.outcome))"
            )
        }
        if observed.outputs != receipt.outputs, !isPlanted(.outputsNotCompared) {
            return (.mismatch, "the outputs differ")
        }
        if observed.submissions != receipt.submissions, !isPlanted(.submissionsNotCompared) {
            return (.mismatch, "the jobs that the run asks for differ")
        }
        if observed.fuel != receipt.metering.fuel, !isPlanted(.fuelNotCompared) {
            return (.mismatch, "the fuel is \(observed.fuel), the receipt says \(receipt.metering.fuel)")
        }
        return (.verified, nil)
    }

    private static func describe(_ outcome: RunOutcome) -> String {
        var text = outcome.outcomeClass.rawValue
        if let code = outcome.exitCode { text += " \(code)" }
        if let trap = outcome.trap { text += " \(trap)" }
        return text
    }
}
