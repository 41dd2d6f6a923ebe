import ControlClient
import Foundation
import MeshAPI
import MeshDevnet
import MeshTestSupport

extension TestNode {
    /// Runs a program.
    ///
    /// - Throws: ``ControlRefusal`` where it is refused.
    @discardableResult
    func mew(
        _ source: String, parameters: [String: JSONValue]? = nil, seconds: Int = 60
    ) throws -> GraphResponse {
        try client().post(
            "/v1/graph/query", GraphRequest(source: source, parameters: parameters),
            timeout: .seconds(seconds))
    }

    /// The rows of a program's last statement.
    func rows(_ source: String) throws -> [[JSONValue]] { try mew(source).results.last?.rows ?? [] }

    /// The canonical dump of its graph.
    func dump() throws -> String { String(decoding: try client().bytes("/v1/graph/dump"), as: UTF8.self) }

    /// The code with which a program is refused, and the status; `nil` where it is not.
    func refusal(_ source: String, seconds: Int = 60) throws -> (
        status: Int, code: String, error: APIErrorDetail
    )? {
        do {
            try mew(source, seconds: seconds)
            return nil
        } catch let refusal as ControlRefusal {
            return (refusal.status, refusal.error.code, refusal.error)
        }
    }
}

extension Cluster {
    /// Waits until a program gives these rows at a node.
    func await(_ node: TestNode, _ source: String, _ rows: [[JSONValue]]) throws {
        var last: [[JSONValue]]?
        try eventually("\(node.name) has \(String(describing: last)), and not \(rows)") { () -> Void? in
            // An ontology that has not arrived yet makes the names unknown.
            last = try? node.rows(source)
            return last == rows ? () : nil
        }
    }

    /// Waits until all running nodes hold the same feeds, and gives the dump that they have in common.
    func awaitEqualDumps() throws -> String {
        try awaitEqualHeads()
        let dumps = try running.map { try $0.dump() }
        guard let first = dumps.first, dumps.allSatisfy({ $0 == first }) else {
            throw HarnessError("the dumps differ: \(dumps.map(\.count))")
        }
        return first
    }
}

/// Runs programs at one node, one after the other, on a thread of its own, through whatever happens to the node.
final class ProgramStream: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    private let condition = NSCondition()
    private var acknowledged: [Int] = []
    private var isStopped = false
    private var hasEnded = false

    private let node: TestNode
    private let first: Int
    private let program: @Sendable (Int) -> String

    /// - `first`: The number of the first program.
    /// - `program`: What to run, by number.
    init(_ node: TestNode, from first: Int = 0, _ program: @escaping @Sendable (Int) -> String) {
        self.node = node
        self.first = first
        self.program = program
        let thread = Thread { [self] in run() }
        thread.name = "programs"
        thread.start()
    }

    private func run() {
        let client = try? node.client()
        var number = first
        while !condition.withLock({ isStopped }) {
            let request = GraphRequest(source: program(number))
            // A node that is down refuses; its answer is then no acknowledgement.
            let answer: GraphResponse? = try? client?.post(
                "/v1/graph/query", request, timeout: .seconds(10))
            condition.withLock {
                if answer != nil { acknowledged.append(number) }
                condition.broadcast()
            }
            number += 1
        }
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }

    /// Returns when so many have been acknowledged.
    func awaitAcknowledged(_ count: Int) throws {
        try wait { acknowledged.count >= count }
    }

    /// Ends the stream and gives the numbers that were acknowledged.
    func stop() throws -> [Int] {
        condition.withLock { isStopped = true }
        try wait { hasEnded }
        return condition.withLock { acknowledged }
    }

    private func wait(_ isDone: () -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        condition.lock()
        defer { condition.unlock() }
        while !isDone() {
            guard condition.wait(until: deadline) else { throw HarnessError("the programs have stopped") }
        }
    }
}
