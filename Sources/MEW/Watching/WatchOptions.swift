internal import MeshCore
internal import MeshGraph

/// What a watch was asked to be like, checked.
///
/// `causal` ordering is `arrival`: a change is folded only after those that it builds on, so the order of
/// arrival is a causal one.
struct WatchOptions: Sendable {
    enum Mode: String, Sendable { case watch, consume }
    enum Delivery: String, Sendable { case bestEffort = "best_effort", reliable }

    enum Overflow: String, Sendable {
        /// The oldest events are lost, counted and told.
        case drop
        /// Nothing is detected until there is room; the difference is told then.
        case block
        /// The watch is cancelled.
        case error
    }

    enum Ordering: Sendable {
        case arrival, causal
        /// Within one batch, by expressions over the match.
        case attribute([(expression: Expression, isDescending: Bool)])

        var text: String {
            switch self {
            case .arrival: "arrival"
            case .causal: "causal"
            case .attribute(let keys):
                "attribute("
                    + keys.map { $0.expression.canonicalText + ($0.isDescending ? " DESC" : "") }
                    .joined(separator: ", ") + ")"
            }
        }
    }

    /// Stretches of time at whose ends events are delivered, in milliseconds.
    struct Window: Sendable, Hashable {
        let length: Int64
        let interval: Int64
    }

    var mode = Mode.watch
    var group: String?
    var ordering = Ordering.arrival
    var delivery = Delivery.bestEffort
    var window: Window?
    /// How many events wait at most; in mode consume, how many matches one consumer has in its hands.
    var buffer = 1000
    var overflow = Overflow.drop
    var acknowledgementTimeout: Int64 = 30_000
    var redeliveryCountMax = 3
    /// What `dead_letter` names, as it was written; the id once the watch is open.
    var deadLetter: String?
    var deadLetterRange: SourceRange?
    var showsInitial = true
    var filter: Expression?

    private static let bufferMax: Int64 = 100_000
    private static let durationMax: Int64 = 366 * 86_400_000
    private static let names = [
        "mode", "group", "ordering", "delivery", "visibility", "window", "buffer", "on_full", "ack_timeout",
        "max_redeliveries", "dead_letter", "initial", "filter", "deliver_on", "branch", "branches",
    ]
    private static let alterable = ["buffer", "delivery", "filter", "on_full"]

    /// - Throws: ``ErrorCode/watchOptionInvalid``.
    init(_ written: [WatchOption], _ parameters: [String: GraphValue]) throws(Diagnostic) {
        let names = try read(written, parameters)
        if delivery == .reliable, !names.contains("on_full") { overflow = .block }
        try check(written)
    }

    /// Changes some of them.
    ///
    /// - Throws: ``ErrorCode/watchOptionImmutable``, ``ErrorCode/watchOptionInvalid``; nothing has changed then.
    mutating func alter(
        _ written: [WatchOption], _ parameters: [String: GraphValue]
    ) throws(Diagnostic) {
        for option in written {
            let name = option.name.text.lowercased()
            guard Self.names.contains(name), !Self.alterable.contains(name) else { continue }
            throw Diagnostic(
                .watchOptionImmutable, "\(name) cannot be changed while the watch is open",
                at: option.name.range, hint: "these can: \(Self.alterable.joined(separator: ", "))")
        }
        var changed = self
        let names = try changed.read(written, parameters)
        if changed.delivery == .reliable, names.contains("delivery"), !names.contains("on_full"),
            changed.overflow == .drop
        {
            changed.overflow = .block
        }
        try changed.check(written)
        self = changed
    }

    private func check(_ written: [WatchOption]) throws(Diagnostic) {
        if delivery == .reliable, overflow == .drop {
            throw Self.invalid(
                "delivery: reliable loses nothing, and on_full: drop does", written.first?.name.range,
                "on_full: block, or error")
        }
        guard mode == .consume else {
            if group != nil {
                throw Self.invalid(
                    "a group shares matches, and in mode watch everybody sees all of them",
                    written.first { $0.name.text.lowercased() == "group" }?.name.range, "mode: consume")
            }
            return
        }
        if window != nil {
            throw Self.invalid(
                "matches to be consumed cannot wait for a window: their timeouts run",
                written.first { $0.name.text.lowercased() == "window" }?.name.range, nil)
        }
    }

    private mutating func read(
        _ written: [WatchOption], _ parameters: [String: GraphValue]
    ) throws(Diagnostic) -> Set<String> {
        var seen: Set<String> = []
        for option in written {
            let name = option.name.text.lowercased()
            guard seen.insert(name).inserted else {
                throw Self.invalid("\(name) is given twice", option.name.range, nil)
            }
            try read(name, OptionReader(option: option, parameters: parameters))
        }
        return seen
    }

    private mutating func read(_ name: String, _ option: OptionReader) throws(Diagnostic) {
        switch name {
        case "mode": mode = try option.word(["watch": Mode.watch, "consume": .consume])
        case "group": group = try option.text()
        case "ordering": ordering = try option.ordering()
        case "delivery": delivery = try option.word(["best_effort": .bestEffort, "reliable": .reliable])
        case "visibility":
            try option.only("committed", instead: "nothing that is not committed is ever shown")
        case "window": window = try option.window(max: Self.durationMax)
        case "buffer": buffer = Int(try option.number(1...Self.bufferMax))
        case "on_full": overflow = try option.overflow()
        case "ack_timeout": acknowledgementTimeout = try option.duration(max: Self.durationMax)
        case "max_redeliveries": redeliveryCountMax = Int(try option.number(0...1_000_000))
        case "dead_letter":
            deadLetter = try option.reference()
            deadLetterRange = option.option.name.range
        case "initial":
            if case .word("since", _) = option.option.value {
                throw Self.invalid(
                    "no earlier state is kept to compare with", option.option.name.range,
                    "initial: full, or none")
            }
            showsInitial = try option.word(["full": true, "none": false])
        case "filter":
            guard case .expression(let expression, _) = option.option.value else {
                throw option.wants("an expression over the pattern's variables")
            }
            filter = expression
        case "deliver_on": try option.only("commit", instead: "there are no ticks here")
        case "branch", "branches":
            throw Self.invalid("the graph has no branches", option.option.name.range, nil)
        default:
            throw Self.invalid(
                "there is no option \(option.option.name.text)", option.option.name.range,
                NearestName.of(name, among: Self.names).map { "did you mean \($0)?" }
                    ?? "one of \(Self.names.joined(separator: ", "))")
        }
    }

    static func invalid(_ message: String, _ range: SourceRange?, _ hint: String?) -> Diagnostic {
        Diagnostic(.watchOptionInvalid, message, at: range, hint: hint)
    }
}
