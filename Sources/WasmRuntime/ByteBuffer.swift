/// Bytes that are appended at the end and taken from the front, in memory that is kept and reused.
///
/// Pointers that it lends are valid until the next call that changes it. Not for use by two threads.
@safe
final class ByteBuffer {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        unsafe base.deallocate()
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The bytes that are waiting.
    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + start, count: end - start)
    }

    func removeAll() {
        start = 0
        end = 0
    }

    /// Takes `count` bytes, which must be there, from the front.
    func consume(_ count: Int) {
        precondition(count <= end - start, "\(count) bytes taken of \(end - start)")
        start += count
        if start == end { removeAll() }
    }

    /// Gives back memory that an unusually large item needed.
    func shrink(to limit: Int) {
        guard isEmpty, capacity > limit else { return }
        unsafe base.deallocate()
        capacity = limit
        unsafe base = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Room for `count` bytes behind the end; ``commit(_:)`` says how many were written.
    func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - end < count { makeRoom(count) }
        return unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
    }

    private func makeRoom(_ count: Int) {
        let waiting = end - start
        if capacity - waiting >= count, start >= waiting {
            unsafe base.copyMemory(from: base + start, byteCount: waiting)
        } else {
            let larger = max(capacity * 2, waiting + count)
            let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            unsafe moved.copyMemory(from: base + start, byteCount: waiting)
            unsafe base.deallocate()
            unsafe base = moved
            capacity = larger
        }
        start = 0
        end = waiting
    }

    func commit(_ count: Int) {
        precondition(count <= capacity - end, "\(count) bytes written into \(capacity - end)")
        end += count
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        unsafe reserve(bytes.count).baseAddress?.copyMemory(from: source, byteCount: bytes.count)
        commit(bytes.count)
    }

    func append(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    func append<Value: BitwiseCopyable>(value: Value) {
        unsafe reserve(MemoryLayout<Value>.size).storeBytes(of: value, as: Value.self)
        commit(MemoryLayout<Value>.size)
    }

    /// Fills up to the next multiple of eight, counted from `mark` bytes before the end.
    func pad(_ written: Int) {
        let padding = -written & 7
        for _ in 0..<padding { append(value: 0 as UInt8) }
    }

    /// The value at the front, when it is all there.
    func front<Value: BitwiseCopyable>(as type: Value.Type) -> Value? {
        guard count >= MemoryLayout<Value>.size else { return nil }
        return unsafe bytes.loadUnaligned(as: type)
    }
}
