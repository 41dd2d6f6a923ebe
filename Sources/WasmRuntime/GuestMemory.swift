/// An error number of WASI preview 1.
enum WASIError: UInt32, Error {
    case badDescriptor = 8
    case exists = 20
    case fault = 21
    case invalid = 28
    case isDirectory = 31
    case tooManyFiles = 33
    case noEntry = 44
    case notSupported = 58
    case notDirectory = 54
    case readOnly = 69
    case illegalSeek = 70
    case notCapable = 76
    case notImplemented = 52
}

/// A program's linear memory during one host call.
///
/// Every address comes from the program and is checked, with its length, in 64 bits; what does not lie
/// inside throws ``WASIError/fault`` and touches nothing.
@safe
struct GuestMemory {
    private let base: UnsafeMutableRawPointer?
    private let size: UInt64

    init(base: UnsafeMutableRawPointer?, size: Int) {
        unsafe self.base = base
        self.size = UInt64(size)
    }

    /// The bytes from `address` on.
    func bytes(at address: UInt32, count: UInt32) throws(WASIError) -> UnsafeMutableRawBufferPointer {
        guard let base = unsafe base, UInt64(address) + UInt64(count) <= size else { throw .fault }
        return unsafe UnsafeMutableRawBufferPointer(start: base + Int(address), count: Int(count))
    }

    func load<Value: BitwiseCopyable>(_ type: Value.Type, at address: UInt32) throws(WASIError) -> Value {
        let bytes = try unsafe bytes(at: address, count: UInt32(MemoryLayout<Value>.size))
        return unsafe bytes.loadUnaligned(as: type)
    }

    func store<Value: BitwiseCopyable>(_ value: Value, at address: UInt32) throws(WASIError) {
        let bytes = try unsafe bytes(at: address, count: UInt32(MemoryLayout<Value>.size))
        unsafe bytes.storeBytes(of: value, as: Value.self)
    }

    /// Copies `source` to `address`.
    func store(_ source: UnsafeRawBufferPointer, at address: UInt32) throws(WASIError) {
        guard let count = UInt32(exactly: source.count) else { throw .fault }
        let target = try unsafe bytes(at: address, count: count)
        unsafe target.copyMemory(from: source)
    }

    /// Zeroes `count` bytes, as the base of a structure that is then filled.
    func clear(at address: UInt32, count: UInt32) throws(WASIError) {
        unsafe try bytes(at: address, count: count).initializeMemory(as: UInt8.self, repeating: 0)
    }
}
