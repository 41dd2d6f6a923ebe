/// The frames that wait for one peer, bounded in bytes.
///
/// When a frame does not fit, the oldest frames that may be dropped give way; when that is not
/// enough the queue reports an overflow and its link is closed. A frame of which a part has left is
/// never dropped.
package struct SendQueue {
    package enum Outcome: Equatable {
        /// The frame waits; so many older ones gave way.
        case queued(dropped: Int)
        /// The frame itself may be dropped and was.
        case dropped
        case overflow
    }

    private struct Slot {
        let type: UInt8
        let body: [UInt8]
        /// A frame costs memory beside its bytes, so that empty ones cannot fill it.
        var cost: Int { max(64, body.count + 5) }
    }

    private let byteCountMax: Int
    /// Waiting frames from `head`; `nil` where one was dropped.
    private var slots: [Slot?] = []
    private var head = 0
    /// How many slots were removed before `slots[0]`.
    private var base = 0
    /// Positions, counted with `base`, of droppable frames from `droppableHead`, oldest first.
    private var droppable: [Int] = []
    private var droppableHead = 0
    /// How much of the head frame, its five header bytes included, has left.
    private var taken = 0
    /// What waits, in bytes, each frame counting for at least 64.
    package private(set) var byteCount = 0

    /// - Parameter byteCountMax: The bound on ``byteCount``.
    package init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// Whether a part of the oldest frame has left.
    package var isPartlySent: Bool { taken > 0 }

    /// Takes one frame in, or says why it cannot.
    package mutating func append(type: UInt8, body: [UInt8], isDroppable: Bool) -> Outcome {
        let slot = Slot(type: type, body: body)
        var dropped = 0
        while byteCount + slot.cost > byteCountMax {
            guard dropOldest() else { return isDroppable ? .dropped : .overflow }
            dropped += 1
        }
        byteCount += slot.cost
        if isDroppable { droppable.append(base + slots.count) }
        slots.append(slot)
        return .queued(dropped: dropped)
    }

    private mutating func dropOldest() -> Bool {
        while droppableHead < droppable.count {
            let index = droppable[droppableHead] - base
            droppableHead += 1
            compactDroppable()
            guard index >= head, let slot = slots[index], !(index == head && taken > 0) else { continue }
            slots[index] = nil
            byteCount -= slot.cost
            skipDropped()
            return true
        }
        return false
    }

    /// Appends to `record` what fits into `recordByteCountMax` and returns how many frames left whole.
    package mutating func take(into record: inout [UInt8], recordByteCountMax: Int) -> Int {
        var frameCount = 0
        while head < slots.count, record.count < recordByteCountMax {
            guard let slot = slots[head] else {
                advance()
                continue
            }
            if taken < 5 {
                let length = UInt32(clamping: slot.body.count + 1)
                let header = UInt64(length) << 8 | UInt64(slot.type)
                while taken < 5, record.count < recordByteCountMax {
                    record.append(UInt8(truncatingIfNeeded: header >> UInt64(8 * (4 - taken))))
                    taken += 1
                }
                guard taken == 5 else { break }
            }
            let start = taken - 5
            let count = min(slot.body.count - start, recordByteCountMax - record.count)
            if count > 0 { record.append(contentsOf: slot.body[start..<start + count]) }
            taken += count
            guard taken == slot.body.count + 5 else { break }
            taken = 0
            byteCount -= slot.cost
            frameCount += 1
            advance()
        }
        return frameCount
    }

    private mutating func skipDropped() {
        while head < slots.count, slots[head] == nil { advance() }
    }

    private mutating func advance() {
        slots[head] = nil
        head += 1
        while droppableHead < droppable.count, droppable[droppableHead] < base + head { droppableHead += 1 }
        compactDroppable()
        if head == slots.count {
            base += head
            slots.removeAll(keepingCapacity: slots.capacity <= 4096)
            head = 0
        } else if head >= 1024, head * 2 >= slots.count {
            slots.removeFirst(head)
            base += head
            head = 0
        }
    }

    private mutating func compactDroppable() {
        if droppableHead == droppable.count {
            droppable.removeAll(keepingCapacity: true)
            droppableHead = 0
        } else if droppableHead >= 1024, droppableHead * 2 >= droppable.count {
            droppable.removeFirst(droppableHead)
            droppableHead = 0
        }
    }
}
