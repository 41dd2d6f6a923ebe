import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime

/// Random values of every record, as a seed decides them.
struct Samples {
    var generator: SeededGenerator

    init(_ generator: SeededGenerator) { self.generator = generator }

    mutating func number(_ range: ClosedRange<UInt64> = 0...amountMax) -> UInt64 {
        // Small numbers, large ones and the bounds themselves.
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: range.lowerBound
        case 1: range.upperBound
        case 2: min(range.upperBound, range.lowerBound + UInt64.random(in: 0...300, using: &generator))
        default: UInt64.random(in: range, using: &generator)
        }
    }

    mutating func bool() -> Bool { Bool.random(using: &generator) }
    mutating func bytes(_ counts: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: counts, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
    }
    mutating func digest() -> Bytes32 { SHA256.hash(bytes(8...8)) }
    mutating func did() -> DID { DID(publicKey: digest()) }
    mutating func cid() -> CID { CID(codec: bool() ? .raw : .dagCBOR, digest: digest()) }
    mutating func cids(_ most: Int) -> [CID] {
        (0..<Int.random(in: 0...most, using: &generator)).map { _ in cid() }
    }
    mutating func time() -> Timestamp { Timestamp(milliseconds: Int64(number(0...1 << 48))) }
    mutating func text(_ most: Int = 12) -> String {
        let letters = Array("abcxyz0189 -_./é✓🙂")
        return String(
            (0..<Int.random(in: 0...most / 4, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? "a"
            })
    }
    mutating func texts(_ most: Int) -> [String] {
        (0..<Int.random(in: 0...most, using: &generator)).map { _ in text(24) }
    }
    mutating func map(_ most: Int) -> [String: String] {
        var map: [String: String] = [:]
        for _ in 0..<Int.random(in: 0...most, using: &generator) { map["k" + text()] = text(24) }
        return map
    }
    mutating func maybe<Value>(_ value: Value) -> Value? { bool() ? value : nil }
    mutating func blobs() -> [NamedBlob] {
        (0..<Int.random(in: 0...3, using: &generator)).map {
            NamedBlob(name: "b\($0)", cid: cid(), size: number())
        }
    }
    mutating func engine() -> EngineDescription {
        EngineDescription(name: text(), version: text(), profile: cid())
    }
    mutating func outcome() -> RunOutcome {
        RunOutcome(
            OutcomeClass.allCases.randomElement(using: &generator) ?? .ok,
            exitCode: maybe(Int32.random(in: .min ... .max, using: &generator)), trap: maybe(text()))
    }

    mutating func manifest() -> JobManifest {
        JobManifest(
            nonce: bytes(1...64), submitter: did(), placer: did(), created: time(), expires: time(),
            description: text(40), language: text(), code: cid(), entry: maybe(text()), arguments: texts(3),
            environment: map(3),
            inputs: (0..<Int.random(in: 0...2, using: &generator)).map {
                JobManifest.Input(name: "i\($0)", cid: cid(), size: number())
            },
            limits: RunLimits(
                fuel: number(), memoryBytes: number(), outputBytes: number(), wallMilliseconds: number()),
            needs: JobManifest.Needs(
                cpu: number(), memoryMiB: number(), languages: texts(2), location: maybe(text()),
                labels: map(2),
                minReputation: number(0...100)),
            priority: JobManifest.Priority.allCases.randomElement(using: &generator) ?? .low,
            resource: JobManifest.Resource(type: "compute", amount: number(), scope: "default"),
            draws: cids(2),
            trust: JobManifest.Trust(
                federation: maybe(cid()), method: .allCases.randomElement(using: &generator) ?? .none,
                quorum: number()),
            market: JobManifest.Market(
                mode: bool() ? .auto : .manual, windowMilliseconds: number(), maxBid: number()),
            retry: JobManifest.Retry(attempts: number(), backoffMilliseconds: number()), after: cids(2),
            parent: maybe(
                JobManifest.Parent(
                    manifest: cid(), index: number() % 32, depth: number() % 8 + 1, epoch: number() % 3)))
    }

    mutating func award() -> JobAward {
        JobAward(
            manifest: cid(), epoch: number(), executor: did(), bids: cid(), index: number(0...63),
            considered: (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                JobAward.Considered(
                    bidder: did(), amount: number(), score: number(),
                    parts: ["price": number(), "fit": number()],
                    reason: text())
            }, leaseMilliseconds: number())
    }

    mutating func receipt() -> JobReceipt {
        JobReceipt(
            manifest: cid(), award: maybe(cid()), epoch: number(), executor: did(), outcome: outcome(),
            outputs: blobs(), logs: blobs(),
            metering: Metering(
                fuel: number(), memoryPeakBytes: number(), hostCalls: number(), ioBytes: number(),
                wallMilliseconds: number()),
            engine: engine(), started: time(), finished: time(), submissions: cids(2),
            execution: maybe(JobExecution.Links(start: cid(), end: cid())))
    }

    mutating func close() -> JobClose {
        let results: [JobClose.Result] = [.receipt(cid()), .cancelled, .expired, .noBids]
        return JobClose(
            manifest: cid(), result: results.randomElement(using: &generator) ?? .expired, charged: number(),
            credited: number())
    }

    mutating func bids() -> Bids {
        Bids(
            bidder: did(), time: time(),
            bids: (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                Bids.Bid(
                    manifest: cid(), epoch: number(), amount: number(), estimatedMilliseconds: number(),
                    freeCPU: number(), freeMemoryMiB: number(), engine: cid(), validUntil: time())
            })
    }

    mutating func profile() -> NodeProfile {
        NodeProfile(
            name: text(), roles: NodeProfile.Role.allCases.filter { _ in bool() }, addresses: texts(3),
            capacity: NodeProfile.Capacity(cpu: number(), memoryMiB: number(), storageMiB: number()),
            languages: texts(2), engines: bool() ? [engine()] : [], location: maybe(text()), labels: map(3),
            computePrice: number())
    }

    mutating func bundle() -> FederationBundle {
        let members = (0..<Int.random(in: 2...5, using: &generator)).map { _ in
            FederationBundle.Member(did: did(), organisation: maybe(text()))
        }.sorted()
        return FederationBundle(
            name: text(), seq: number(), prev: maybe(cid()), members: members,
            threshold: UInt64.random(in: 1..<UInt64(members.count), using: &generator),
            policies: bool() ? [.init(resourceType: "compute", scope: text(), rule: .allowAll)] : [],
            foldParameters: ["a": number(), "bb": number()])
    }

    mutating func attestation() -> Attestation {
        Attestation(
            member: did(), receipt: cid(), close: maybe(cid()), bundle: cid(),
            verdict: .allCases.randomElement(using: &generator) ?? .verified,
            method: .allCases.randomElement(using: &generator) ?? .replay,
            observed: maybe(Attestation.Observation(outcome: outcome(), outputs: blobs(), fuel: number())),
            reason: maybe(text()))
    }
}

/// One record with the way to read it, whatever its type.
struct SampleRecord {
    let name: String
    let bytes: [UInt8]
    /// Reads and writes it again.
    let again: ([UInt8]) throws -> [UInt8]

    /// One of every kind.
    static func all(_ seed: SeededGenerator) -> [SampleRecord] {
        var samples = Samples(seed)
        func message(_ tag: String, _ payload: [UInt8]) -> Envelope {
            Envelope(signing: payload, tag: tag, by: NobodySigner())
        }
        let heartbeat = Heartbeat(
            manifest: samples.cid(), epoch: samples.number(), executor: samples.did(),
            counter: samples.number(),
            fuel: samples.number(), time: samples.time())
        let call = BidCall(
            manifest: samples.cid(), epoch: samples.number(), placer: samples.did(), time: samples.time())
        let request = ExplainRequest(manifest: samples.cid(), asker: samples.did(), time: samples.time())
        let stages: [BidDecision.Stage] = BidDecision.Stage.allCases
        let answer = ExplainAnswer(
            manifest: samples.cid(), node: samples.did(),
            decision: BidDecision(
                stages.randomElement(using: &samples.generator) ?? .offered, code: samples.text(),
                reason: samples.text(), retryable: samples.bool()), time: samples.time())
        let bundleEntry = BundleEntry(
            body: samples.cid(),
            signatures: [.init(did: samples.did(), signature: samples.bytes(64...64))])
        return [
            SampleRecord(name: "manifest", bytes: samples.manifest().encoded) {
                try JobManifest(decoding: $0).encoded
            },
            SampleRecord(name: "award", bytes: samples.award().encoded) {
                try JobAward(decoding: $0).encoded
            },
            SampleRecord(name: "receipt", bytes: samples.receipt().encoded) {
                try JobReceipt(decoding: $0).encoded
            },
            SampleRecord(name: "close", bytes: samples.close().encoded) {
                try JobClose(decoding: $0).encoded
            },
            SampleRecord(name: "profile", bytes: samples.profile().encoded) {
                try NodeProfile(decoding: $0).encoded
            },
            SampleRecord(name: "bundle", bytes: samples.bundle().encoded) {
                try FederationBundle(decoding: $0).encoded
            },
            SampleRecord(name: "bundle entry", bytes: bundleEntry.encoded) {
                try BundleEntry(decoding: $0).encoded
            },
            SampleRecord(name: "attestation", bytes: samples.attestation().encoded) {
                try Attestation(decoding: $0).encoded
            },
            SampleRecord(name: "bids", bytes: samples.bids().encoded) {
                try Bids(message(Bids.tag, $0)).encoded
            },
            SampleRecord(name: "heartbeat", bytes: heartbeat.encoded) {
                try Heartbeat(message(Heartbeat.tag, $0)).encoded
            },
            SampleRecord(name: "call", bytes: call.encoded) { try BidCall(message(BidCall.tag, $0)).encoded },
            SampleRecord(name: "explain request", bytes: request.encoded) {
                try ExplainRequest(message(ExplainRequest.tag, $0)).encoded
            },
            SampleRecord(name: "explain answer", bytes: answer.encoded) {
                try ExplainAnswer(message(ExplainAnswer.tag, $0)).encoded
            },
        ]
    }
}

/// Signs with zeros: these tests are about what is signed.
struct NobodySigner: Signer {
    let did = DID(publicKey: SHA256.hash([]))
    func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] { [UInt8](repeating: 0, count: 64) }
}
