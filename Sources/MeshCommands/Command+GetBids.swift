internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let getBids = CommandEntry(
        Command(
            "get-bids", "Show the bids for a job",
            discussion: """
                Waits for the end of the bid window. Until the job is awarded only bids that may be accepted
                are shown; if there is none then, the status is 2 and the job expires.
                """,
            flags: [
                .job, Flag("watch", .toggle, "Show each bid as it comes"),
                Flag("no-wait", .toggle, "Show what there is now"),
                Flag("sort-by", .choice(["score", "price", "time"]), "The order", default: "score"), .timeout,
                .identifierOnly, .format,
            ], operands: [.optionalJob],
            examples: ["meshctl get-bids --job-id 3f0c", "meshctl get-bids -j 3f0c --sort-by price -o json"])
    ) { context in
        let client = try context.client()
        let id = try context.arguments.either("job-id", "JOB")
        let interrupt = Interrupt(
            context.console, notice: "stopped watching; the bidding goes on: meshctl get-bids --job-id \(id)")
        defer { withExtendedLifetime(interrupt) {} }
        var announced: Set<String> = []
        let bids = try collect(id, context, client) { bids in
            guard context.arguments.has("watch") else { return }
            for bid in bids.bids where announced.insert("\(bid.did) \(bid.bid)").inserted {
                context.console.message(
                    "bid of \(bid.nodeID): \(bid.bid), \(seconds(bid.estimatedSeconds))"
                        + (bid.acceptable ? "" : ", not acceptable: \(bid.reason ?? "-")"))
            }
        }
        let isOpen = ["Submitted", "Bidding", "Expired"].contains(bids.status)
        let shown = sorted(
            isOpen ? bids.bids.filter(\.acceptable) : bids.bids, by: context.arguments.text("sort-by"))
        context.show(
            shown, id: \.nodeID,
            columns: [
                ("Node ID", \.nodeID), ("Bid", { String($0.bid) }),
                ("Est. Time", { seconds($0.estimatedSeconds) }),
                ("Reputation", { String($0.reputation) }), ("Location", { $0.location ?? "-" }),
            ])
        guard shown.isEmpty else {
            if context.format == .table, !context.arguments.has("id-only"), isOpen {
                context.console.line()
                context.console.line("Use the following command to accept a bid:")
                context.console.line("meshctl accept-bid --job-id \(bids.jobID) --node-id <node-id>")
            }
            return .done
        }
        if !isOpen || bids.windowOpen && bids.status != "Expired" { return .done }
        for bid in bids.bids {
            context.console.message("\(bid.nodeID): \(bid.reason ?? "not acceptable")")
        }
        context.console.message("no acceptable bid")
        context.hint("meshctl explain \(bids.jobID)")
        return .notPlaced
    }

    /// Asks until the window has ended, or once with `--no-wait`.
    private static func collect(
        _ id: String, _ context: CommandContext, _ client: HTTPControlClient, change: (BidsView) -> Void
    ) throws -> BidsView {
        let path = jobPath(id, "/bids")
        var bids: BidsView = try client.get(path)
        change(bids)
        if context.arguments.has("no-wait") { return bids }
        let deadline = JobWatcher.now() + (context.arguments.milliseconds("timeout") ?? 60_000)
        while bids.windowOpen {
            let left = deadline - JobWatcher.now()
            guard left > 0 else {
                throw CommandFailure(
                    .timedOut, code: "bids.timed-out", "the bid window is still open when the time is up",
                    hint: "meshctl get-bids --job-id \(id) --no-wait", retryable: true)
            }
            var query = ["wait": String(min(left, 10_000))]
            if context.arguments.has("watch") { query["count"] = String(bids.bids.count) }
            bids = try client.get(path, query: query, timeout: .milliseconds(left + 30_000))
            change(bids)
        }
        return bids
    }

    private static func sorted(_ bids: [BidView], by order: String?) -> [BidView] {
        switch order {
        case "price": bids.sorted { ($0.bid, $0.did) < ($1.bid, $1.did) }
        case "time": bids.sorted { ($0.estimatedSeconds, $0.did) < ($1.estimatedSeconds, $1.did) }
        default: bids.sorted { (-($0.score ?? -1), $0.did) < (-($1.score ?? -1), $1.did) }
        }
    }

    /// `1.5s`, without a fraction where there is none.
    static func seconds(_ value: Double) -> String {
        JSONTree.plain((value * 100).rounded() / 100) + "s"
    }
}
