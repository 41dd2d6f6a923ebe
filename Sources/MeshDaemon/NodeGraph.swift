internal import MeshAPI
internal import MeshGraph

/// The graph of this node, as its control socket offers it.
final class NodeGraph: GraphService {
    private let queries: GraphQueries

    init(daemon: Daemon) {
        queries = GraphQueries(daemon: daemon, watches: { [] })
    }

    func run(_ request: GraphRequest) -> Result<GraphResponse, GraphRefusal> { queries.run(request) }

    func openWatch(_ request: GraphRequest) -> Result<any GraphWatchFeed, GraphRefusal> {
        .failure(
            GraphRefusal(
                status: 503, error: APIError(code: "graph.unavailable", message: "no watches here")))
    }

    func dump() -> Result<@Sendable () -> [UInt8]?, GraphRefusal> { queries.dump() }

    func stop() {}
}
