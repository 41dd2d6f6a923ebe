internal import MeshCore
internal import MeshGraph

/// A watch that somebody has opened: its options, and the events that wait to be fetched.
final class OpenWatch {
    enum Status: String { case active, paused, cancelled }

    let key: String
    let statement: WatchStatement
    let source: [UInt8]
    var environment: ScriptEnvironment
    var options: WatchOptions
    let created: Timestamp
    var status = Status.active
    /// Of its own, or of its group.
    let detector: WatchDetector
    let group: ConsumerGroup?
    var needsCompiling = false

    /// What there was when it was opened; not counted as waiting, and never lost.
    private var initial: ArraySlice<WatchEvent> = []
    private var ready: ArraySlice<WatchEvent> = []
    /// Events that wait for the end of their window.
    private var windowed: ArraySlice<(event: WatchEvent, time: Timestamp)> = []
    private var windowEnd: Timestamp
    private var lostCount = 0
    /// The last event, once the watch is cancelled.
    private var farewell: WatchEvent?
    private(set) var deliveredCount = 0
    private(set) var lastEvent: Timestamp?
    /// How many actions are on their way to the engine.
    var runningActionCount = 0

    init(
        key: String, statement: WatchStatement, source: [UInt8], environment: ScriptEnvironment,
        options: WatchOptions, detector: WatchDetector, group: ConsumerGroup?, now: Timestamp
    ) {
        self.key = key
        self.statement = statement
        self.source = source
        self.environment = environment
        self.environment.virtual = nil
        self.options = options
        self.detector = detector
        self.group = group
        created = now
        windowEnd = now + (options.window?.interval ?? 0)
    }

    var id: String { "_Watch/" + key }
    var isCancelled: Bool { status == .cancelled }

    // MARK: The buffer

    var initialCount: Int { initial.count }
    var waitingCount: Int { ready.count + windowed.count }
    var room: Int { max(0, options.buffer - waitingCount) }

    /// Whether it fell behind because its buffer was full, and has room to catch up.
    var canCatchUp: Bool { detector.isBehind && !isCancelled && room * 2 >= options.buffer }

    func begin(with events: [WatchEvent]) { initial = events[...] }

    /// Puts an event behind those that wait.
    ///
    /// - Returns: `false` where the buffer is full and the watch is to be cancelled for it.
    func push(_ event: WatchEvent, now: Timestamp) -> Bool {
        while waitingCount >= options.buffer {
            guard options.overflow != .error else { return false }
            if ready.isEmpty { windowed.removeFirst() } else { ready.removeFirst() }
            lostCount += 1
        }
        lastEvent = now
        if options.window == nil { ready.append(event) } else { windowed.append((event, now)) }
        return true
    }

    /// The next events; `nil` when there will be no more.
    func take(_ countMax: Int, tick: Int, now: Timestamp) -> [WatchEvent]? {
        if status == .paused { return [] }
        var events: [WatchEvent] = []
        while events.count < countMax, let event = initial.popFirst() { events.append(event) }
        if lostCount > 0, events.count < countMax {
            var event = WatchEvent(.overflow, of: id, tick: tick)
            event.lost = lostCount
            lostCount = 0
            events.append(event)
        }
        while events.count < countMax, let event = ready.popFirst() { events.append(event) }
        if let farewell, events.count < countMax {
            if events.isEmpty, farewellIsTold { return nil }
            if !farewellIsTold { events.append(farewell) }
            farewellIsTold = true
        }
        // Slices keep what was taken from their front.
        if initial.isEmpty { initial = [] }
        if ready.isEmpty { ready = [] }
        deliveredCount += events.count
        return events
    }

    private var farewellIsTold = false

    /// Whether there is something to fetch, were it not paused.
    var hasWaiting: Bool { !initial.isEmpty || !ready.isEmpty || lostCount > 0 }

    /// Counts events that were made when they were fetched.
    func noteDelivered(_ count: Int, now: Timestamp) {
        guard count > 0 else { return }
        deliveredCount += count
        lastEvent = now
    }

    /// Ends it.
    ///
    /// - Parameter reason: `nil` where somebody asked for it, and then what waits is discarded.
    func cancel(_ reason: Diagnostic?, tick: Int) {
        guard !isCancelled else { return }
        status = .cancelled
        windowed = []
        if reason == nil {
            initial = []
            ready = []
            lostCount = 0
        }
        var event = WatchEvent(.cancelled, of: id, tick: tick)
        event.reason = reason
        farewell = event
    }

    // MARK: Windows

    /// When the window at hand ends; `nil` where nothing waits for it.
    var nextDeadline: Timestamp? { windowed.isEmpty || options.window == nil ? nil : windowEnd }

    /// Hands over what the windows that have ended hold.
    func advance(to now: Timestamp) {
        guard let window = options.window, !isCancelled else { return }
        while now >= windowEnd {
            guard !windowed.isEmpty else {
                // Nothing waits: the ends up to the present pass at once.
                windowEnd = windowEnd + ((now - windowEnd) / window.interval + 1) * window.interval
                return
            }
            let start = windowEnd + -window.length
            // One that comes at the very end belongs to the next window.
            for (event, time) in windowed where time >= start && time < windowEnd { ready.append(event) }
            let next = windowEnd + window.interval + -window.length
            while let first = windowed.first, first.time < next { windowed.removeFirst() }
            windowEnd = windowEnd + window.interval
        }
    }
}

extension OpenWatch {
    var hasEvents: Bool { status != .paused && (hasWaiting || isCancelled) }
}
