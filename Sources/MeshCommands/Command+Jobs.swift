internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let list = CommandEntry(
        Command(
            "list", "List the jobs, newest first",
            flags: [
                Flag("limit", .integer("N", 1...10_000), "How many", default: "100"),
                Flag("status", .text("STATUS"), "Only with this status"), .identifierOnly, .format,
            ], examples: ["meshctl list", "meshctl list --status Running -o json"])
    ) { context in
        var query = ["limit": context.arguments.text("limit") ?? "100"]
        query["status"] = context.arguments.text("status")
        let jobs: [JobStatusView] = try context.client().get("/v1/jobs", query: query)
        context.show(
            jobs, id: \.jobID,
            columns: [
                ("Job ID", \.jobID), ("Status", \.status), ("Verification", \.verification.state),
                ("Executor", { $0.executor.nodeID ?? "-" }), ("Created", \.createdAt),
                ("Description", \.description),
            ])
        return .done
    }

    static let cancel = CommandEntry(
        Command(
            "cancel", "Cancel a job",
            flags: [Flag("reason", .text("TEXT"), "Why, for people"), .format], operands: [.job],
            examples: ["meshctl cancel 3f0c --reason 'wrong input'"])
    ) { context in
        let id = context.arguments.operand("JOB") ?? ""
        let request = CancelRequest(reason: context.arguments.text("reason"))
        let job: JobStatusView = try context.client().post(jobPath(id, "/cancel"), request)
        context.show(job) { ["Job \(job.jobID) is \(job.status)"] }
        return .done
    }

    static let rerun = CommandEntry(
        Command(
            "rerun", "Submit the same job again, as a new one",
            flags: [
                Flag("wait", .toggle, "Wait for the result and end by the job's outcome"),
                Flag("follow", .toggle, "Show the program's output as it comes"), .timeout, .identifierOnly,
                .format,
            ], operands: [.job], examples: ["meshctl rerun 3f0c --wait"])
    ) { context in
        let client = try context.client()
        let id = context.arguments.operand("JOB") ?? ""
        return try submit(try resubmission(of: id, client), in: context, client: client)
    }

    /// The request that makes the job again, as a new one.
    static func resubmission(of job: String, _ client: HTTPControlClient) throws -> SubmitRequest {
        var request: SubmitRequest = try client.get(jobPath(job, "/manifest"))
        // The old key would name the old job.
        request.idempotencyKey = nil
        return request
    }

    static let history = CommandEntry(
        Command(
            "history", "Show what happened to a job", flags: [.format], operands: [.job],
            examples: ["meshctl history 3f0c"])
    ) { context in
        let id = context.arguments.operand("JOB") ?? ""
        let events: [HistoryEventView] = try context.client().get(jobPath(id, "/history"))
        context.show(events, id: \.event, columns: historyColumns)
        return .done
    }

    static var historyColumns: [(String, (HistoryEventView) -> String)] {
        [
            ("Time", { $0.time }), ("Event", { $0.event }), ("Node", { $0.nodeID ?? "-" }),
            ("CID", { $0.cid ?? "-" }), ("Detail", { $0.detail ?? "" }),
        ]
    }

    static let explain = CommandEntry(
        Command(
            "explain", "Show what each node made of a job", flags: [.format], operands: [.job],
            examples: ["meshctl explain 3f0c"])
    ) { context in
        let id = context.arguments.operand("JOB") ?? ""
        let nodes: [ExplainView] = try context.client().get(jobPath(id, "/explain"))
        context.show(
            nodes, id: \.nodeID,
            columns: [
                ("Node ID", \.nodeID), ("Stage", \.stage), ("Score", { $0.score.map(String.init) ?? "-" }),
                (
                    "Parts",
                    { node in
                        let parts = node.parts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                        return parts.isEmpty ? "-" : parts.joined(separator: " ")
                    }
                ), ("Retryable", { $0.retryable ? "yes" : "no" }), ("Reason", { $0.reason ?? "-" }),
            ])
        return .done
    }

    private static var childColumns: [(String, (ChildView) -> String)] {
        [
            ("Job ID", { $0.jobID ?? "-" }), ("Status", { $0.status }),
            ("Verification", { $0.verification ?? "-" }),
            ("Amount", { "\($0.resourceAmount) \($0.resourceType)" }), ("Description", { $0.description }),
            ("Reason", { $0.reason ?? "" }),
        ]
    }

    static let describe = CommandEntry(
        Command(
            "describe", "Tell the whole story of a job on one page", flags: [.format], operands: [.job],
            examples: ["meshctl describe 3f0c"])
    ) { context in
        let client = try context.client()
        let id = context.arguments.operand("JOB") ?? ""
        let job: JobStatusView = try client.get(jobPath(id))
        let bids: BidsView = try client.get(jobPath(id, "/bids"))
        let events: [HistoryEventView] = try client.get(jobPath(id, "/history"))
        let receipt: ReceiptView? = try job.receiptCID.map { try client.get("/v1/receipts/\($0)") }
        let tree = JSONTree.object([
            .init(key: "job", value: JSONTree(job)),
            .init(key: "bids", value: .array(bids.bids.map { JSONTree($0) })),
            .init(key: "history", value: .array(events.map { JSONTree($0) })),
            .init(key: "receipt", value: receipt.map { JSONTree($0) } ?? .null),
        ])
        context.show(tree) {
            func section<Row>(_ title: String, _ rows: [Row], _ columns: [(String, (Row) -> String)])
                -> [String]
            {
                if rows.isEmpty { return ["", title, "-"] }
                let cells = rows.map { row in columns.map { $0.1(row) } }
                return ["", title] + Table(headings: columns.map(\.0), rows: cells).lines()
            }
            return lines(of: job)
                + section(
                    "Bids", bids.bids,
                    [
                        ("Node ID", { $0.nodeID }), ("Bid", { String($0.bid) }),
                        ("Reputation", { String($0.reputation) }),
                        ("Acceptable", { $0.acceptable ? "yes" : $0.reason ?? "no" }),
                    ])
                + (job.children.isEmpty ? [] : section("Submitted by its run", job.children, childColumns))
                + section("History", events, historyColumns)
                + section(
                    "Attestations", receipt?.attestations ?? [],
                    [
                        ("Member", { $0.nodeID ?? $0.did }), ("Verdict", { $0.verdict }),
                        ("Method", { $0.method }),
                        ("Counted", { $0.counted ? "yes" : "no" }), ("Reason", { $0.reason ?? "-" }),
                    ])
        }
        return .done
    }
}
