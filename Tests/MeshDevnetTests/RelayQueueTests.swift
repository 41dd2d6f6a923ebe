import MeshCore
import MeshTestSupport
import Testing

@testable import MeshDevnet

@Suite("What is on its way through a relay", .tags(.Size.small))
struct RelayQueueTests {
    private let start = ContinuousClock.now

    private func bytes(_ count: Int) -> RelayQueue.Piece { .bytes([UInt8](repeating: 7, count: count)) }

    @Test("A piece arrives after its latency, and not a moment before")
    func latency() {
        var generator = SeededGenerator(seed: 1)
        var queue = RelayQueue()
        let rule = LinkRule(latency: .constant(.milliseconds(50)))
        queue.push(bytes(10), now: start, rule: rule, &generator)
        #expect(queue.nextDue == start + .milliseconds(50))
        #expect(queue.arrived(start + .milliseconds(49)) == nil)
        #expect(queue.arrived(start + .milliseconds(50))?.piece == bytes(10))
        queue.consume(4)
        #expect(queue.arrived(start + .milliseconds(50))?.from == 4)
        queue.consume(6)
        #expect(queue.nextDue == nil)
        #expect(queue.byteCount == 0)
    }

    @Test("A piece never overtakes an earlier one, whatever latency it draws", arguments: Seed.sample(20))
    func order(seed: Seed) {
        var generator = seed.generator
        var queue = RelayQueue()
        let rule = LinkRule(latency: .uniform(.zero, .milliseconds(100)), loss: 0.05)
        for _ in 0..<50 { queue.push(bytes(100), now: start, rule: rule, &generator) }
        var last = start
        while let due = queue.nextDue {
            #expect(due >= last)
            last = due
            queue.consume(100)
        }
    }

    @Test("A throttled line takes as long as its bytes need, one piece after the other")
    func throttle() {
        var generator = SeededGenerator(seed: 1)
        var queue = RelayQueue()
        let rule = LinkRule(bytesPerSecond: 1_000)
        for _ in 0..<3 { queue.push(bytes(500), now: start, rule: rule, &generator) }
        for half in 1...3 {
            #expect(queue.nextDue == start + .milliseconds(500 * half))
            queue.consume(500)
        }
    }

    @Test(
        "A lost segment comes 200 ms later and holds up what is behind it; too many losses end the connection"
    )
    func loss() {
        var generator = SeededGenerator(seed: 3)
        var queue = RelayQueue()
        queue.push(bytes(1), now: start, rule: LinkRule(loss: 1), &generator)
        #expect(queue.isEnded)
        #expect(queue.arrived(start)?.piece == .reset)

        var delays: Set<Duration> = []
        for _ in 0..<200 {
            if let delay = LinkRule(loss: 0.5).repairTime(100, &generator) { delays.insert(delay) }
        }
        #expect(delays.contains(.zero))
        #expect(delays.contains(.milliseconds(200)))
        #expect(delays.contains(.milliseconds(600)))
        #expect(LinkRule().repairTime(100_000, &generator) == .zero)
    }

    @Test("A full queue says so, and what is handed on makes room")
    func full() {
        var generator = SeededGenerator(seed: 1)
        var queue = RelayQueue()
        queue.push(bytes(RelayQueue.byteCountMax - 1), now: start, rule: LinkRule(), &generator)
        #expect(!queue.isFull)
        queue.push(bytes(1), now: start, rule: LinkRule(), &generator)
        #expect(queue.isFull)
        queue.consume(RelayQueue.byteCountMax - 1)
        #expect(!queue.isFull)
    }

    @Test("Exponential latency has the mean that it was given", arguments: Seed.sample(3))
    func exponential(seed: Seed) {
        var generator = seed.generator
        let latency = Latency.exponential(.milliseconds(100))
        let sum = (0..<4_000).reduce(Duration.zero) { sum, _ in sum + latency.draw(&generator) }
        let mean = sum / 4_000
        #expect(mean > .milliseconds(92) && mean < .milliseconds(108), "mean \(mean)")
    }

    @Test("Every node has an address of its own, and is known by it")
    func addresses() {
        for index in [0, 1, 249, 250, 251, 4_999] {
            #expect(LoopbackNetwork.index(of: LoopbackNetwork.bytes(of: index)) == index)
        }
        #expect(LoopbackNetwork.host(of: 0) == "127.77.1.1")
        for stranger: [UInt8] in [
            [127, 0, 0, 1], [10, 77, 1, 1], [127, 77, 1, 2], [127, 77, 251, 1], [127],
        ] {
            #expect(LoopbackNetwork.index(of: stranger) == nil)
        }
    }
}
