public import IPLD
internal import MeshCore
public import MeshDAG
internal import MeshIdentity
public import MeshMarket
public import MeshRuntime

/// Runs a job again, for whoever wants a receipt repeated; `nil` when that cannot be done here.
public typealias ReceiptReplay = (JobManifest, RunRequest, _ code: [UInt8]) -> (RunResult, EngineDescription)?

/// Verifies a receipt's archive: a pure function of the file's bytes and of what the caller trusts.
///
/// ```swift
/// let verification = ReceiptVerifier(trust: pinned).verify(bytes)
/// ```
///
/// Nothing in the file is believed before it is checked, and any byte of it that is changed makes a check
/// fail.
public struct ReceiptVerifier<Verifier: SignatureVerifier>: Sendable {
    private let verifier: Verifier
    private let trust: CID?

    /// - Parameters:
    ///   - verifier: Checks signatures.
    ///   - trust: The body CID of the federation's bundle that must have verified the receipt.
    public init(verifier: Verifier, trust: CID? = nil) {
        self.verifier = verifier
        self.trust = trust
    }

    /// Makes every check that can be made.
    ///
    /// - Parameters:
    ///   - file: The CAR's bytes; hostile ones cost no more than their length.
    ///   - replay: Asked once to repeat the run, after all other checks; `nil` leaves that check out.
    /// - Returns: The checks in their order, and what the file holds where it could be read.
    public func verify(_ file: [UInt8], replay: ReceiptReplay? = nil) -> ReceiptVerification {
        var result = ReceiptVerification()
        let index: CARIndex
        do throws(IPLDError) {
            index = try CARIndex(decoding: file)
        } catch {
            result.add(.container, false, error.message)
            return result
        }
        guard index.roots.count == 1 else {
            result.add(.container, false, "a receipt's CAR has one root; this one has \(index.roots.count)")
            return result
        }
        result.add(.container, true, "CAR version 1, \(file.count) bytes, one root")
        result.receiptCID = index.roots[0]
        let contents: ReceiptContents
        do throws(ReceiptFault) {
            var parser = try ReceiptParser(index)
            contents = try parser.parse()
        } catch {
            result.add(error.check, false, error.message)
            return result
        }
        result.contents = contents
        result.jobID = JobID(manifest: contents.receipt.manifest).description
        result.federation = contents.manifest.trust.federation
        result.add(.blocks, true, "\(index.sections.count) blocks, each what its CID names and in its place")
        let receipt = contents.receipt
        if let fault = Self.executionFault(contents) {
            result.add(.receipt, false, fault)
        } else {
            result.add(
                .receipt, true,
                "\(contents.receiptCID) by \(receipt.executor), outcome \(Self.describe(receipt.outcome)), fuel \(receipt.metering.fuel)"
            )
        }
        result.add(.anchorSignature, checkAnchors(contents))
        result.add(.award, checkAward(contents))
        result.add(.manifest, Self.checkManifest(contents))
        result.add(.jobID, true, result.jobID ?? "")
        result.add(.close, Self.checkClose(contents))
        let standing = checkFederation(contents, &result)
        if contents.manifest.trust.federation == nil {
            result.add(
                .attestations,
                contents.attestations.isEmpty
                    ? .passed("none asked for")
                    : .failed("the job names no federation, yet there are attestations"))
            result.add(.quorum, true, "not asked for")
        } else if standing, let bundle = contents.bundle {
            result.add(.attestations, checkAttestations(contents, bundle))
            checkQuorum(contents, bundle, &result)
        }
        if let replay { result.add(.replay, Self.repeated(contents, replay)) }
        return result
    }

    // MARK: The checks

    /// What is wrong with the execution documents that the receipt links, or `nil`.
    private static func executionFault(_ contents: ReceiptContents) -> String? {
        guard JobExecution.holds(contents.receipt, manifest: contents.manifest) else {
            return "the execution documents that it links are not those of its run"
        }
        if contents.receipt.execution != nil, !contents.hasExecution {
            return "the execution documents that it links are not in the file"
        }
        return nil
    }

    private func checkAnchors(_ contents: ReceiptContents) -> Finding {
        for one in contents.anchors where !verifier.isSigned(one.envelope, by: one.anchor.author) {
            return .failed("the anchor \(one.cid) is not signed by \(one.anchor.author)")
        }
        let manifest = contents.manifest
        var duties: [(what: String, record: CID, role: String, author: DID)] = [
            ("the receipt", contents.receiptCID, "executor", contents.receipt.executor),
            ("the manifest", contents.receipt.manifest, "submitter", manifest.submitter),
        ]
        if let cid = contents.receipt.award { duties.append(("the award", cid, "placer", manifest.placer)) }
        if let cid = contents.closeCID { duties.append(("the close", cid, "placer", manifest.placer)) }
        for duty in duties {
            guard contents.anchors(of: duty.record).contains(where: { $0.anchor.author == duty.author })
            else {
                return .failed("\(duty.what) is not published by its \(duty.role) \(duty.author)")
            }
        }
        return .passed("\(Self.count(contents.anchors.count, "anchor")), each signed by its author")
    }

    private func checkAward(_ contents: ReceiptContents) -> Finding {
        let receipt = contents.receipt
        guard let award = contents.award, let bytes = contents.bids else {
            let manifest = contents.manifest
            guard manifest.submitter == receipt.executor, manifest.placer == receipt.executor else {
                return .failed(
                    "a run without an award is its submitter's own; this one was executed by another")
            }
            return receipt.epoch == 0
                ? .passed("none: run by its submitter, outside the market")
                : .failed("a run without an award has epoch 0, not \(receipt.epoch)")
        }
        guard award.manifest == receipt.manifest else { return .failed("the award is for another job") }
        guard award.executor == receipt.executor else { return .failed("the award is \(award.executor)'s") }
        guard award.epoch == receipt.epoch else {
            return .failed("the award has epoch \(award.epoch), the receipt \(receipt.epoch)")
        }
        guard let envelope = try? Envelope(decoding: bytes), envelope.tag == Bids.tag,
            let bids = try? Bids(envelope)
        else { return .failed("the winning bid cannot be read") }
        guard bids.bidder == award.executor, verifier.isSigned(envelope, by: bids.bidder) else {
            return .failed("the winning bid is not signed by the executor")
        }
        guard award.index < UInt64(bids.bids.count) else {
            return .failed("the winning envelope holds no bid \(award.index)")
        }
        let bid = bids.bids[Int(award.index)]
        guard bid.manifest == award.manifest, bid.epoch == award.epoch else {
            return .failed("the winning bid is for another job or epoch")
        }
        guard let winner = award.considered.first, winner.bidder == award.executor,
            winner.amount == bid.amount
        else { return .failed("the award does not name the amount that was bid") }
        return .passed("epoch \(award.epoch), bid \(bid.amount), \(award.considered.count) considered")
    }

    private static func checkManifest(_ contents: ReceiptContents) -> Finding {
        let manifest = contents.manifest
        guard contents.blobSizes[manifest.code] != nil else { return .failed("the code is not a blob") }
        let named =
            manifest.inputs.map { ("input", $0.name, $0.cid, $0.size) }
            + contents.receipt.outputs.map { ("output", $0.name, $0.cid, $0.size) }
            + contents.receipt.logs.map { ("log", $0.name, $0.cid, $0.size) }
        for (what, name, cid, size) in named {
            guard let found = contents.blobSizes[cid] else {
                return .failed("the \(what) \(name) is not a blob")
            }
            guard found == size else {
                return .failed("the \(what) \(name) has \(found) bytes, not \(size)")
            }
        }
        return .passed(
            "\(contents.receipt.manifest); code, \(count(manifest.inputs.count, "input")), "
                + "\(count(contents.receipt.outputs.count, "output")) and \(count(contents.receipt.logs.count, "log")) are here"
        )
    }

    private static func checkClose(_ contents: ReceiptContents) -> Finding {
        guard let close = contents.close else { return .open("not closed when this file was written") }
        let receipt = contents.receipt
        guard close.manifest == receipt.manifest, close.result == .receipt(contents.receiptCID) else {
            return .failed("the close is not about this receipt")
        }
        let bid = contents.award?.considered.first?.amount ?? 0
        let due =
            receipt.outcome.outcomeClass.isNodeFault
            ? 0
            : BidScoring.charge(
                bid: bid, metered: receipt.metering.fuel, limit: contents.manifest.limits.fuel)
        guard close.charged == due, close.credited == due else {
            return .failed(
                "charged \(close.charged) and credited \(close.credited) where a bid of \(bid) makes it \(due)"
            )
        }
        return .passed("closed with this receipt, charged \(due) \(contents.manifest.resource.type)")
    }

    /// Whether the bundle stands, so that its members can be asked about.
    private func checkFederation(_ contents: ReceiptContents, _ result: inout ReceiptVerification) -> Bool {
        guard let body = contents.manifest.trust.federation else {
            if let trust {
                result.add(.federation, false, "the job names no federation; \(trust) is trusted")
            } else {
                result.add(.federation, true, "none named")
            }
            return false
        }
        guard let entry = contents.bundleEntry, let bundle = contents.bundle else {
            result.add(.federation, false, "federation \(body) is not in the file")
            return false
        }
        guard entry.body == body, bundle.cid == body else {
            result.add(.federation, false, "the bundle in the file is not \(body)")
            return false
        }
        let signers = entry.signers(of: bundle, verifier: verifier)
        guard UInt64(signers.count) >= bundle.threshold else {
            result.add(
                .federation, false,
                "\(signers.count) of \(bundle.threshold) members' signatures under federation \(body) are valid"
            )
            return false
        }
        guard let trust else {
            result.add(.federation, nil, "federation \(body) not pinned")
            return true
        }
        guard trust == body else {
            result.add(.federation, false, "federation \(body) is not the trusted \(trust)")
            return true
        }
        result.pinned = true
        result.add(
            .federation, true,
            "\(bundle.name) \(body), signed by \(signers.count) of \(bundle.members.count) members")
        return true
    }

    private func checkAttestations(_ contents: ReceiptContents, _ bundle: FederationBundle) -> Finding {
        var counts: [Attestation.Verdict: Int] = [:]
        for (cid, record) in contents.attestations {
            for anchor in contents.anchors(of: cid) {
                if let fault = record.fault(
                    by: anchor.anchor.author, of: contents.receiptCID, contents.receipt,
                    close: contents.closeCID, manifest: contents.manifest, bundle: bundle)
                {
                    return .failed("the attestation of \(anchor.anchor.author) \(fault)")
                }
                counts[record.verdict, default: 0] += 1
            }
        }
        let found = Attestation.Verdict.allCases.compactMap { verdict in
            counts[verdict].map { "\($0) \(verdict.rawValue)" }
        }
        return .passed(found.isEmpty ? "none in the file" : found.joined(separator: ", "))
    }

    private func checkQuorum(
        _ contents: ReceiptContents, _ bundle: FederationBundle, _ result: inout ReceiptVerification
    ) {
        let trust = contents.manifest.trust
        result.quorum = trust.quorum
        guard trust.method != .none, trust.quorum > 0 else {
            result.quorum = 0
            result.add(.quorum, true, "not asked for")
            return
        }
        guard
            let anchor = contents.anchors(of: contents.receiptCID).first(where: {
                $0.anchor.author == contents.receipt.executor
            })
        else { return }
        let verification = Verification(
            receipt: contents.contribution(contents.receiptCID, contents.receipt, anchor),
            manifest: contents.manifest,
            attestations: contents.attestations.flatMap { cid, record in
                contents.anchors(of: cid).filter {
                    record.fault(
                        by: $0.anchor.author, of: contents.receiptCID, contents.receipt,
                        close: contents.closeCID, manifest: contents.manifest, bundle: bundle) == nil
                        && verifier.isSigned($0.envelope, by: $0.anchor.author)
                }.map { contents.contribution(cid, record, $0) }
            }, bundle: bundle)
        result.attestedBy = verification.verifiedBy
        result.mismatchedBy = verification.mismatchedBy
        let count = "\(verification.verifiedBy.count) of \(trust.quorum)"
        guard contents.close != nil else {
            result.add(.quorum, false, "\(count): the job is not closed")
            return
        }
        let dissent =
            verification.mismatchedBy.isEmpty ? "" : ", \(verification.mismatchedBy.count) found a mismatch"
        result.add(.quorum, verification.state == .verified, "\(count)\(dissent)")
    }

    private static func repeated(_ contents: ReceiptContents, _ replay: ReceiptReplay) -> Finding {
        let receipt = contents.receipt
        guard receipt.outcome.isReplayable else {
            return .open(
                "unverifiable: the outcome \(receipt.outcome.outcomeClass.rawValue) depends on the node")
        }
        guard let code = contents.blob(contents.manifest.code),
            let request = contents.manifest.request(
                cid: receipt.manifest, input: { contents.blob($0) })
        else { return .failed("code or inputs cannot be put together") }
        guard let (run, engine) = replay(contents.manifest, request, code) else {
            return .open("unverifiable: the run could not be repeated here")
        }
        let observed = Attestation.Observation(
            outcome: run.outcome, outputs: RunBlobs(run, like: receipt).outputs, fuel: run.metering.fuel,
            submissions: JobSubmission.blocks(run.submissions).map(\.cid))
        let judged = Attestation.judge(
            receipt, of: contents.manifest, engine: engine, observed: observed)
        switch judged.verdict {
        case .verified: return .passed("run again by \(engine.name) \(engine.version) with the same result")
        case .mismatch: return .failed(judged.reason ?? "the result differs")
        case .unverifiable: return .open("unverifiable: \(judged.reason ?? "")")
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)" + (number == 1 ? "" : "s")
    }

    private static func describe(_ outcome: RunOutcome) -> String {
        outcome.outcomeClass.rawValue + (outcome.exitCode.map { " \($0)" } ?? "")
            + (outcome.trap.map { " \($0)" } ?? "")
    }
}

extension ReceiptVerifier where Verifier == Ed25519Verifier {
    /// The verifier of real signatures.
    public init(trust: CID? = nil) { self.init(verifier: Ed25519Verifier(), trust: trust) }
}

/// What one check found.
private enum Finding {
    case passed(String)
    case failed(String)
    /// Nothing wrong, and nothing proven.
    case open(String)
}

extension ReceiptVerification {
    fileprivate mutating func add(_ check: ReceiptCheck, _ ok: Bool?, _ detail: String) {
        checks.append(Check(check, ok: ok, detail))
    }

    fileprivate mutating func add(_ check: ReceiptCheck, _ finding: Finding) {
        switch finding {
        case .passed(let detail): add(check, true, detail)
        case .failed(let detail): add(check, false, detail)
        case .open(let detail): add(check, nil, detail)
        }
    }
}
