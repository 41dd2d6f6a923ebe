internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let receiptShow = CommandEntry(
        Command(
            "show", "Show a receipt and who verified it", flags: [.format],
            operands: [Operand("CID", "The receipt, or its job, or a prefix of either")],
            examples: ["meshctl receipt show bafyreic6y4ho"])
    ) { context in
        let id = HTTPControlClient.pathSegment(context.arguments.operand("CID") ?? "")
        let receipt: ReceiptView = try context.client().get("/v1/receipts/\(id)")
        context.show(receipt) { lines(of: receipt) }
        return .done
    }

    private static func lines(of receipt: ReceiptView) -> [String] {
        let verification = receipt.verification
        var rows: [(String, String?)] = [
            ("Receipt", receipt.receiptCID), ("Job ID", receipt.jobID), ("Manifest", receipt.manifestCID),
            ("Award", receipt.awardCID), ("Epoch", String(receipt.epoch)),
            ("Executor", receipt.executor.nodeID ?? receipt.executor.did),
            ("Outcome", receipt.outcome.error ?? receipt.outcome.outcomeClass),
            ("Exit code", receipt.outcome.exitCode.map(String.init)),
            ("Fuel used", receipt.metrics.fuelUsed.map(String.init)),
            ("Memory peak", receipt.metrics.memoryPeakBytes.map { "\($0) bytes" }),
            ("Engine", receipt.engine.name.map { "\($0) \(receipt.engine.version ?? "")" }),
            ("Profile", receipt.engine.profile), ("Started", receipt.startedAt),
            ("Finished", receipt.finishedAt),
            ("Anchor", receipt.anchor.cid.map { "\($0) (seq \(receipt.anchor.seq))" }),
            ("Close", receipt.closeCID),
            ("Charged", receipt.charged.amount.map { "\($0) \(receipt.charged.resourceType)" }),
            ("Federation", receipt.federation),
            (
                "Verification",
                "\(verification.state) (\(verification.verifiedBy.count) of \(verification.quorum))"
            ),
        ]
        if let execution = receipt.execution {
            rows += [
                ("Execution", execution.uid), ("  its start", execution.startCID),
                ("  its end", execution.endCID),
            ]
        }
        rows += (receipt.outputs + receipt.logs).map { ("Output \($0.name)", "\($0.size) bytes, \($0.cid)") }
        rows += receipt.attestations.map { attestation in
            (
                "Attestation",
                "\(attestation.verdict) by \(attestation.nodeID ?? attestation.did), \(attestation.method)"
                    + (attestation.counted ? "" : ", not counted")
                    + (attestation.reason.map { ": \($0)" } ?? "")
            )
        }
        return CommandContext.block(rows)
    }

    static let receiptExport = CommandEntry(
        Command(
            "export", "Write a receipt with all that its verification needs as a CAR file",
            flags: [
                Flag(
                    "output", short: "o", .text("FILE.car"), "Where to; - is standard output", required: true)
            ], operands: [Operand("CID", "The receipt, or its job, or a prefix of either")],
            examples: ["meshctl receipt export bafyreic6y4ho -o receipt.car"])
    ) { context in
        let id = HTTPControlClient.pathSegment(context.arguments.operand("CID") ?? "")
        let bytes = try context.client().bytes("/v1/receipts/\(id)/car")
        try context.write(bytes, to: context.arguments.text("output"))
        return .done
    }
}
