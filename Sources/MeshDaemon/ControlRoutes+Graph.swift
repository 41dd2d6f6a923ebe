internal import ControlServer
internal import MeshAPI

extension ControlRoutes {
    /// How long a quiet watch waits before it finds out whether its client is still there.
    private static let quietSeconds = 5.0

    private static let unavailable = ControlResponse.error(
        503,
        APIError(code: "graph.unavailable", message: "this node keeps no graph", retryable: true))

    func graphQuery(_ request: GraphRequest) -> ControlResponse {
        guard let graph = daemon.graph else { return Self.unavailable }
        switch graph.run(request) {
        case .success(let response): return .json(response)
        case .failure(let refusal): return .error(refusal.status, refusal.error)
        }
    }

    func graphWatch(_ request: GraphRequest) -> ControlResponse {
        guard let graph = daemon.graph else { return Self.unavailable }
        switch graph.openWatch(request) {
        case .success(let feed): return Self.stream(feed)
        case .failure(let refusal): return .error(refusal.status, refusal.error)
        }
    }

    func graphDump() -> ControlResponse {
        guard let graph = daemon.graph else { return Self.unavailable }
        switch graph.dump() {
        case .success(let next):
            return ControlResponse(status: 200, contentType: "text/plain; charset=utf-8", stream: next)
        case .failure(let refusal): return .error(refusal.status, refusal.error)
        }
    }

    /// A watch as server-sent events.
    static func stream(_ feed: any GraphWatchFeed) -> ControlResponse {
        let open = OpenFeed(feed)
        return .events {
            guard let events = open.feed.next(seconds: quietSeconds) else { return nil }
            if events.isEmpty { return ControlResponse.keepAlive }
            return events.flatMap { ControlResponse.event($0.type, $0) }
        }
    }

    /// Closes its feed with the connection, whose stream alone holds it.
    private final class OpenFeed: Sendable {
        let feed: any GraphWatchFeed

        init(_ feed: any GraphWatchFeed) { self.feed = feed }

        deinit { feed.close() }
    }
}
