internal import CommandLineArguments
internal import ControlClient
internal import IPLD
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity

extension CommandEntry {
    static let dagVerify = CommandEntry(
        Command(
            "verify", "Verify feeds: hashes, signatures, order, entries and forks",
            discussion: "A file is verified without a daemon; without one, what the daemon exports is.",
            flags: [.format],
            operands: [Operand("FILE.car", "An exported file; - is standard input", isOptional: true)],
            examples: ["meshctl dag verify mesh.car", "meshctl dag verify"])
    ) { context in
        let file: [UInt8]
        if let path = context.arguments.operand("FILE.car") {
            file = try context.contents(of: path)
        } else {
            file = try context.client().bytes("/v1/dag/export")
        }
        let verification = FeedArchiveVerifier().verify(file)
        context.show(tree(of: verification)) { lines(of: verification) }
        return verification.ok ? .done : .verificationFailed
    }

    private static func lines(of verification: FeedArchiveVerification) -> [String] {
        let found = [
            (verification.blockCount, "block", "s"), (verification.feeds.count, "feed", "s"),
            (verification.anchorCount, "anchor", "s"), (verification.entryCount, "entr", "ies"),
            (verification.receiptCount, "receipt", "s"),
        ].map { number, noun, plural in
            "\(number) \(noun)\(number == 1 ? (plural == "ies" ? "y" : "") : plural)"
        }.joined(separator: ", ")
        let faults = verification.faults.map { fault in
            "✗ \(fault.kind.rawValue)  \(fault.detail)" + (fault.cid.map { " (\($0))" } ?? "")
        }
        let rest = verification.faultCount - verification.faults.count
        return faults + (rest > 0 ? ["✗ \(rest) further faults"] : [])
            + [verification.ok ? "✓ \(found)" : "\(verification.faultCount) faults in \(found)"]
    }

    private static func tree(of verification: FeedArchiveVerification) -> JSONTree {
        .object([
            .init(key: "ok", value: .boolean(verification.ok)),
            .init(key: "blocks", value: .integer(verification.blockCount)),
            .init(key: "anchors", value: .integer(verification.anchorCount)),
            .init(key: "entries", value: .integer(verification.entryCount)),
            .init(key: "receipts", value: .integer(verification.receiptCount)),
            .init(
                key: "feeds",
                value: .array(
                    verification.feeds.map { feed in
                        .object([
                            .init(key: "did", value: .text(feed.feed.author.description)),
                            .init(key: "scope", value: .text(feed.feed.scope)),
                            .init(key: "anchors", value: .integer(feed.anchorCount)),
                            .init(key: "seq", value: .integer(Int(clamping: feed.seq))),
                            .init(key: "cid", value: .text(feed.head.description)),
                        ])
                    })),
            .init(key: "fault_count", value: .integer(verification.faultCount)),
            .init(
                key: "faults",
                value: .array(
                    verification.faults.map { fault in
                        .object([
                            .init(key: "kind", value: .text(fault.kind.rawValue)),
                            .init(key: "cid", value: fault.cid.map { .text($0.description) } ?? .null),
                            .init(key: "detail", value: .text(fault.detail)),
                        ])
                    })),
        ])
    }
}
