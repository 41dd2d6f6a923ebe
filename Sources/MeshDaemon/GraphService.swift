internal import MeshAPI

/// What answers the graph's routes.
///
/// Called on the connections' own threads, many at once; may block.
protocol GraphService: Sendable {
    /// Runs a script.
    func run(_ request: GraphRequest) -> Result<GraphResponse, GraphRefusal>

    /// Opens the one WATCH that the request's source is.
    func openWatch(_ request: GraphRequest) -> Result<any GraphWatchFeed, GraphRefusal>

    /// The canonical dump of one snapshot: each call gives a piece, and nil is the end.
    func dump() -> Result<@Sendable () -> [UInt8]?, GraphRefusal>

    /// The daemon stops: every feed's ``GraphWatchFeed/next(seconds:)`` returns nil from now on, those that wait too.
    func stop()
}

/// An open watch as one connection sees it.
///
/// Its events are pulled, so that whoever fills it keeps the one bounded buffer and decides what happens when
/// that is full.
protocol GraphWatchFeed: Sendable {
    /// The next events, in order.
    ///
    /// Waits while there are none: an empty list says that `seconds` have passed, nil that the watch has ended
    /// or the daemon is stopping.
    func next(seconds: Double) -> [GraphWatchEvent]?

    /// The client is gone: called once, and ``next(seconds:)`` never after it.
    func close()
}

/// Why a script was not run, as the control API answers it.
struct GraphRefusal: Error {
    /// 422 for a diagnostic of the language, 503 for what may work later.
    let status: Int
    let error: APIError
}
