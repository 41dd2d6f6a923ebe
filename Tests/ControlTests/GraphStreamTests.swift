import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Synchronization
import Testing

@testable import MeshDaemon

@Suite("A watch as a stream", .tags(.Size.small))
struct GraphStreamTests {
    private final class Feed: GraphWatchFeed {
        private let answers: Mutex<[[GraphWatchEvent]?]>
        let closedCount = Atomic(0)

        init(_ answers: [[GraphWatchEvent]?]) { self.answers = Mutex(answers) }

        func next(seconds: Double) -> [GraphWatchEvent]? {
            answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }

        func close() { closedCount.add(1, ordering: .relaxed) }
    }

    @Test("events become server-sent events, quiet becomes a comment, and the end ends it")
    func pieces() throws {
        let event = GraphWatchEvent(watch: "_Watch/1", type: "added", match: ["a": [1, nil]], tick: 3)
        let feed = Feed([[event, event], [], nil])
        var response: ControlResponse? = ControlRoutes.stream(feed)
        #expect(response?.contentType == "text/event-stream")
        let first = String(decoding: response?.stream?() ?? [], as: UTF8.self)
        let line =
            "event: added\ndata: {\"delivery_id\":null,\"lost\":null,\"match\":{\"a\":[1,null]},\"prev\":null,\"tick\":3,\"type\":\"added\",\"watch\":\"_Watch/1\"}\n\n"
        #expect(first == line + line)
        #expect(response?.stream?() == ControlResponse.keepAlive)
        #expect(response?.stream?() == nil)
        #expect(feed.closedCount.load(ordering: .relaxed) == 0)
        response = nil
        #expect(feed.closedCount.load(ordering: .relaxed) == 1)
    }
}
