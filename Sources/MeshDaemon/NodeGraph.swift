internal import MEW
internal import MeshAPI
internal import MeshGraph

/// The graph of this node, as its control socket offers it.
final class NodeGraph: GraphService {
    private let queries: GraphQueries
    private let watches: GraphWatches

    init(daemon: Daemon, watches: GraphWatches) {
        self.watches = watches
        queries = GraphQueries(daemon: daemon, watches: { watches.rows() })
    }

    func run(_ request: GraphRequest) -> Result<GraphResponse, GraphRefusal> {
        managed(request) ?? queries.run(request)
    }

    /// What ACK, NACK, PAUSE, RESUME, CANCEL and ALTER give; `nil` for a script of other statements.
    private func managed(_ request: GraphRequest) -> Result<GraphResponse, GraphRefusal>? {
        let words = ["ACK", "NACK", "PAUSE", "RESUME", "CANCEL", "ALTER"]
        let source = request.source.uppercased()
        guard request.dryRun != true, words.contains(where: { source.contains($0) }) else { return nil }
        let parsed = Parser.script(request.source)
        guard !parsed.diagnostics.contains(where: { $0.severity == .error }), !parsed.statements.isEmpty,
            parsed.statements.allSatisfy(WatchHub.manages)
        else { return nil }
        var parameters: [String: GraphValue] = [:]
        for (name, value) in request.parameters ?? [:] { parameters[name] = GraphValue(value) }
        let name = request.name ?? "query.mew"
        switch watches.manage(
            parsed.statements, parameters: parameters, bindings: request.bindings ?? [:])
        {
        case .success(let results):
            return .success(
                GraphResponse(
                    results: results.map { GraphResultView($0, source: request.source, name: name) },
                    bindings: request.bindings ?? [:]))
        case .failure(let diagnostic):
            return .failure(GraphRefusal([diagnostic], source: request.source, name: name))
        }
    }

    func openWatch(_ request: GraphRequest) -> Result<any GraphWatchFeed, GraphRefusal> {
        watches.openWatch(request)
    }

    func dump() -> Result<@Sendable () -> [UInt8]?, GraphRefusal> { queries.dump() }

    func stop() { watches.stop() }
}
