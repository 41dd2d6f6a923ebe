import MeshCore
import MeshTestSupport
import MeshTransport
import Testing

@Suite("SendQueue", .tags(.Size.small))
struct SendQueueTests {
    private struct Frame: Equatable {
        let type: UInt8
        let body: [UInt8]
        var isDroppable: Bool { type == 1 }
        var cost: Int { max(64, body.count + 5) }
        var encoded: [UInt8] {
            let length = UInt32(body.count + 1)
            return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + [type] + body
        }
    }

    /// The rule, written down without regard to speed.
    private struct Model {
        let byteCountMax: Int
        var frames: [Frame] = []
        var headIsPartlySent = false
        var byteCount: Int { frames.reduce(0) { $0 + $1.cost } }

        mutating func append(_ frame: Frame) -> SendQueue.Outcome {
            var dropped = 0
            while byteCount + frame.cost > byteCountMax {
                guard
                    let index = frames.indices.first(where: {
                        frames[$0].isDroppable && !($0 == 0 && headIsPartlySent)
                    })
                else { return frame.isDroppable ? .dropped : .overflow }
                frames.remove(at: index)
                dropped += 1
            }
            frames.append(frame)
            return .queued(dropped: dropped)
        }
    }

    @Test("the queue drops, refuses and sends as its rule says", arguments: Seed.sample(200))
    func followsTheRule(_ seed: Seed) {
        var generator = seed.generator
        var model = Model(byteCountMax: 4000)
        var queue = SendQueue(byteCountMax: 4000)
        var reader = FrameReader { _ in 5000 }
        var received: [Frame] = []
        var expected: [Frame] = []
        for _ in 0..<600 {
            if Int.random(in: 0..<5, using: &generator) < 3 {
                let frame = Frame(
                    type: UInt8.random(in: 0...2, using: &generator),
                    body: [UInt8](
                        repeating: UInt8.random(in: 0...255, using: &generator),
                        count: Int.random(in: 0...900, using: &generator)))
                let outcome = queue.append(type: frame.type, body: frame.body, isDroppable: frame.isDroppable)
                let wanted = model.append(frame)
                #expect(outcome == wanted)
            } else {
                var record: [UInt8] = []
                let count = queue.take(
                    into: &record, recordByteCountMax: Int.random(in: 1...1500, using: &generator))
                expected.append(contentsOf: model.frames.prefix(count))
                model.frames.removeFirst(count)
                let refusal = reader.consume(record, count: record.count) {
                    received.append(Frame(type: $0, body: $1))
                }
                #expect(refusal == nil)
                model.headIsPartlySent = queue.isPartlySent
            }
            #expect(queue.byteCount == model.byteCount)
        }
        #expect(received == expected)
        #expect(!received.isEmpty)
    }

    @Test("a record is filled with as many small frames as fit")
    func coalescing() {
        var queue = SendQueue(byteCountMax: 1 << 20)
        for _ in 0..<100 {
            let outcome = queue.append(type: 1, body: [1, 2, 3], isDroppable: false)
            #expect(outcome == .queued(dropped: 0))
        }
        var record: [UInt8] = []
        let first = queue.take(into: &record, recordByteCountMax: 84)
        #expect(first == 10)
        #expect(record.count == 84)
        record = []
        let second = queue.take(into: &record, recordByteCountMax: 16384)
        #expect(second == 90)
        #expect(record.count == 716)
        #expect(queue.byteCount == 0)
    }

    @Test("one frame larger than the whole queue is an overflow")
    func tooLarge() {
        var queue = SendQueue(byteCountMax: 1000)
        #expect(
            queue.append(type: 1, body: [UInt8](repeating: 0, count: 996), isDroppable: false) == .overflow)
        #expect(queue.byteCount == 0)
    }
}

@Suite("HandshakeBudget", .tags(.Size.small))
struct HandshakeBudgetTests {
    @Test("a prefix has its burst, then its rate, and another prefix is not concerned")
    func refills() {
        let start = ContinuousClock.now
        var budget = HandshakeBudget(rate: 2, burst: 3)
        let atOnce = (0..<4).map { _ in budget.take([1], now: start) }
        #expect(atOnce == [true, true, true, false])
        let other = budget.take([2], now: start)
        #expect(other)
        let later = (0..<2).map { _ in budget.take([1], now: start + .milliseconds(600)) }
        #expect(later == [true, false])
        budget.sweep(now: start + .seconds(60))
        let rested = (0..<4).map { _ in budget.take([1], now: start + .seconds(60)) }
        #expect(rested == [true, true, true, false])
    }

    @Test("beyond 4,096 prefixes the newcomers share one allowance")
    func bounded() {
        let start = ContinuousClock.now
        var budget = HandshakeBudget(rate: 0, burst: 2)
        let known = (0..<4096).map { budget.take([UInt8($0 >> 8), UInt8($0 & 255), 1], now: start) }
        #expect(!known.contains(false))
        let newcomers = (0..<3).map { budget.take([9, 9, UInt8(10 + $0)], now: start) }
        #expect(newcomers == [true, true, false])
        let old = budget.take([0, 0, 1], now: start)
        #expect(old)
    }
}
