internal import CommandLineArguments
internal import ControlClient
internal import Dataflow
internal import ExecutionDocuments
internal import MeshAPI

/// How a graph is run: what `dataflow run` was asked for, and what the start document of a run holds.
///
/// Times are in milliseconds.
struct FlowRunSettings {
    /// No more than this many passes begin within so long.
    struct Rate {
        let passes: Int
        let period: Int64
    }

    /// As long as an orchestrator takes times.
    private static let millisecondsMax: Int64 = 1 << 40

    var passes = 1
    var isPerforming = false
    /// From one tick to the next.
    var every: Int64 = 0
    var deadline: Int64?
    var retries = 0
    var rate: Rate?
    var webhooks: [WebhookURL] = []
    var isTwice = false
    /// As `config.snapshots` has it.
    var snapshots = DocumentValue.string("ends")

    var orchestration: OrchestratorConfiguration {
        OrchestratorConfiguration(
            cadence: .continuous, perWindowMax: rate?.passes, rateWindow: rate?.period ?? 1_000,
            deadline: deadline, retriesMax: retries)
    }

    static let flags = [
        Flag("passes", .integer("N", 1...100_000), "How many, in one lifecycle", default: "1"),
        Flag("perform", .toggle, "Do what the actions say"),
        Flag(
            "allow-webhook", .text("URL"), "Let webhooks be called here and below", repeatable: true),
        Flag("every", .duration, "How long from one tick to the next (as soon as the pass is over)"),
        Flag("deadline", .duration, "How long a pass may take; no action begins later"),
        Flag(
            "retries", .integer("N", 0...1_000), "How often a pass is tried again that failed for now",
            default: "0"),
        Flag("rate", .text("N/PERIOD"), "No more than N passes in any PERIOD, such as 10/1m"),
        Flag("twice", .toggle, "Evaluate each pass twice, and stop before it acts where anything differs"),
        Flag("root", .text("DIR"), "Where the graph's files are", default: "."),
        Flag("capture", .text("FILE.json"), "Write what is needed to run it again"),
        Flag(
            "record", .text("CONTEXT"),
            "Keep execution documents of the run, its passes and triggers in this folder below --root"),
        Flag(
            "snapshots", .text("WHICH"),
            "Of passes, with --record: ends, steps, operations, or LABEL,LABEL", default: "ends"),
    ]

    /// What the flags ask for.
    init(_ arguments: ParsedArguments) throws {
        passes = arguments.integer("passes") ?? 1
        isPerforming = arguments.has("perform")
        every = Int64(arguments.milliseconds("every") ?? 0)
        deadline = arguments.milliseconds("deadline").map { Int64($0) }
        for (flag, milliseconds) in [("every", every), ("deadline", deadline ?? 0)]
        where milliseconds > Self.millisecondsMax { throw UsageError("--\(flag) is longer than 34 years") }
        retries = arguments.integer("retries") ?? 0
        rate = try arguments.text("rate").map { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let passes = Int(parts[0]), (1...100_000).contains(passes),
                let period = DurationText.milliseconds(parts[1]),
                (1...Self.millisecondsMax).contains(Int64(period))
            else { throw UsageError("--rate takes a number and a period, such as 10/1m, not “\(text)”") }
            return Rate(passes: passes, period: Int64(period))
        }
        webhooks = try arguments.texts("allow-webhook").map { text in
            guard let url = WebhookURL(text), !url.hasQuery else {
                throw UsageError(
                    "--allow-webhook takes a plain url, not “\(text)”",
                    hint: "such as https://example.org/hooks: no user, no query, nothing escaped in its host")
            }
            return url
        }
        isTwice = arguments.has("twice")
        if arguments.has("snapshots"), !arguments.has("record") {
            throw UsageError("--snapshots says what --record keeps", hint: "--record CONTEXT")
        }
        // In a document a leading slash means the root; on a command line it would be taken for the machine's.
        if let place = arguments.text("record"), place.hasPrefix("/"), place != "/" {
            throw UsageError(
                "--record takes a folder below --root, and \(place) is absolute",
                hint: "such as runs/a; / is --root itself")
        }
        let text = arguments.text("snapshots") ?? "ends"
        if ["ends", "steps", "operations"].contains(text) {
            snapshots = .string(text)
        } else {
            let labels = text.split(separator: ",", omittingEmptySubsequences: false)
            snapshots = .list(labels.map { .string(String($0)) })
        }
    }

    // MARK: The start document

    /// What is needed to run it again: `config` of the run's start document.
    func config(_ graph: PreparedGraph, source: String) -> DocumentValue {
        func optional(_ number: Int64?) -> DocumentValue { number.map { .integer($0) } ?? .null }
        return .object([
            DocumentMember("graph", .string("\(graph.cid)")),
            DocumentMember("source", .string(source)),
            DocumentMember("passes", .integer(Int64(passes))),
            DocumentMember("perform", .boolean(isPerforming)),
            DocumentMember("every", .integer(every)),
            DocumentMember("deadline", optional(deadline)),
            DocumentMember("retries", .integer(Int64(retries))),
            DocumentMember(
                "rate",
                rate.map {
                    .object([
                        DocumentMember("passes", .integer(Int64($0.passes))),
                        DocumentMember("period", .integer($0.period)),
                    ])
                } ?? .null),
            DocumentMember("allow_webhook", .list(webhooks.map { .string($0.description) })),
            DocumentMember("twice", .boolean(isTwice)),
            DocumentMember("snapshots", snapshots),
            DocumentMember("root", .string(".")),
        ])
    }

    /// What a start document asks for.
    ///
    /// - Throws: Where it is not a document that ``config(_:source:)`` has written.
    init(config: DocumentValue) throws {
        func wrong(_ key: String) -> CommandFailure {
            CommandFailure(code: "exec.bad-config", "the start snapshot has no usable config.\(key)")
        }
        func flag(_ key: DocumentText) throws -> Bool {
            guard case .boolean(let flag)? = config[key] else { throw wrong("\(key)") }
            return flag
        }
        func number(_ value: DocumentValue?, _ key: String, _ range: ClosedRange<Int64>) throws -> Int64 {
            guard case .number(let number)? = value, let integer = number.integer, range.contains(integer)
            else { throw wrong(key) }
            return integer
        }
        let long = 0...Self.millisecondsMax
        passes = Int(try number(config["passes"], "passes", 1...100_000))
        isPerforming = try flag("perform")
        every = try number(config["every"], "every", long)
        deadline = config["deadline"] == .null ? nil : try number(config["deadline"], "deadline", long)
        retries = Int(try number(config["retries"], "retries", 0...1_000))
        if let rate = config["rate"], rate != .null {
            self.rate = Rate(
                passes: Int(try number(rate["passes"], "rate", 1...100_000)),
                period: try number(rate["period"], "rate", 1...Self.millisecondsMax))
        }
        guard case .list(let urls)? = config["allow_webhook"] else { throw wrong("allow_webhook") }
        webhooks = try urls.map { value in
            guard case .text(let text) = value, let url = WebhookURL(text.description) else {
                throw wrong("allow_webhook")
            }
            return url
        }
        isTwice = try flag("twice")
        guard let snapshots = config["snapshots"] else { throw wrong("snapshots") }
        self.snapshots = snapshots
        guard config["root"] == .string(".") else { throw wrong("root") }
    }
}
