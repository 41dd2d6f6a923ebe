internal import CommandLineArguments
internal import IPLD
internal import ControlClient
internal import MeshAPI
internal import MeshCore
internal import MeshFederation
internal import MeshIdentity

extension CommandEntry {
    static let receiptVerify = CommandEntry(
        Command(
            "verify", "Verify an exported receipt, without a daemon and without a network",
            discussion: """
                One line for each check: ✓ holds, ✗ fails, – nothing wrong, but nothing proven either. Checks that
                cannot be reached behind one that fails are left out. Ends with status 4 if any fails.
                """,
            flags: [
                Flag("trust", .text("CID"), "The federation that must have verified the receipt"),
                Flag("replay", .toggle, "Run the job again here and compare"), .format,
            ], operands: [Operand("FILE.car", "The file; - is standard input")],
            examples: [
                "meshctl receipt verify receipt.car",
                "meshctl receipt verify receipt.car --trust bafyreif5x --replay",
            ])
    ) { context in
        let file = try context.contents(of: context.arguments.operand("FILE.car") ?? "-")
        let trust = try context.arguments.text("trust").map { text in
            do throws(IPLDError) { return try CID(text) } catch {
                throw UsageError("--trust: \(error.message)")
            }
        }
        let runtime = context.arguments.has("replay") ? try LocalRuntime() : nil
        let verification = ReceiptVerifier(trust: trust).verify(file, replay: runtime?.replay)
        context.show(tree(of: verification)) { lines(of: verification) }
        if context.format != .table { context.console.message("note: \(ReceiptVerification.caveat)") }
        return verification.ok ? .done : .verificationFailed
    }

    private static func tree(of verification: ReceiptVerification) -> JSONTree {
        func text(_ value: String?) -> JSONTree { value.map { .text($0) } ?? .null }
        return .object([
            .init(key: "ok", value: .boolean(verification.ok)),
            .init(key: "receipt_cid", value: text(verification.receiptCID?.description)),
            .init(key: "job_id", value: text(verification.jobID)),
            .init(key: "federation", value: text(verification.federation?.description)),
            .init(key: "pinned", value: .boolean(verification.pinned)),
            .init(
                key: "verified_by", value: .array(verification.attestedBy.map { .text($0.description) })),
            .init(key: "quorum", value: .integer(Int(clamping: verification.quorum))),
            .init(
                key: "checks",
                value: .array(
                    verification.checks.map { check in
                        .object([
                            .init(key: "name", value: .text(check.name)),
                            .init(key: "ok", value: check.ok.map { .boolean($0) } ?? .null),
                            .init(key: "detail", value: .text(check.detail)),
                        ])
                    })),
        ])
    }

    /// One line for each check, aligned, and what a file cannot say.
    static func lines(of verification: ReceiptVerification) -> [String] {
        let width = verification.checks.map(\.name.count).max() ?? 0
        return verification.checks.map { check in
            let mark =
                switch check.ok {
                case true: "✓"
                case false: "✗"
                default: "–"
                }
            return
                "\(mark) \(check.name)\(String(repeating: " ", count: width - check.name.count))  \(check.detail)"
        } + ["note: \(ReceiptVerification.caveat)"]
    }

    static let anchorReceipt = CommandEntry(
        Command(
            "anchor-receipt", "Publish the receipt of a local run in this node's feed",
            discussion:
                "The file is verified here first; the daemon runs the job again before it publishes it.",
            flags: [
                Flag("receipt", .text("FILE.car"), "What execute --receipt wrote", required: true), .format,
            ], examples: ["meshctl anchor-receipt --receipt run.car"])
    ) { context in
        let file = try context.contents(of: context.arguments.text("receipt") ?? "-")
        let verification = ReceiptVerifier().verify(file)
        if let failure = verification.failures.first {
            throw CommandFailure(
                .verificationFailed, code: "receipt.invalid",
                "the receipt does not verify: \(failure.name): \(failure.detail)",
                hint: "meshctl receipt verify \(context.arguments.text("receipt") ?? "")")
        }
        let anchored: AnchoredReceiptView = try context.client().post(
            "/v1/receipts", bytes: file, contentType: "application/vnd.ipld.car")
        context.show(anchored) { [anchored.receiptCID] }
        return .done
    }
}
