/// Reads the primitives of the WebAssembly binary format, never past a limit.
struct WasmReader {
    let code: [UInt8]
    private(set) var offset: Int
    /// Nothing at or behind this byte is read; set to the end of the section at hand.
    var limit: Int

    init(_ code: [UInt8], at offset: Int) {
        self.code = code
        self.offset = offset
        limit = code.count
    }

    var isAtEnd: Bool { offset >= code.count }
    var remaining: Int { code.count - offset }

    /// Moves behind a section whose end has been checked, and lets the whole module be read again.
    mutating func skip(to end: Int) {
        offset = end
        limit = code.count
    }

    func invalid(_ message: String, at offset: Int) -> ModuleRefusal {
        ModuleRefusal(.invalid, message, offset: offset)
    }

    mutating func byte() throws(ModuleRefusal) -> UInt8 {
        guard offset < limit else { throw invalid("the module is cut off", at: limit) }
        defer { offset += 1 }
        return code[offset]
    }

    /// An unsigned 32-bit LEB128 number; padding is allowed, more than five bytes are not.
    mutating func unsigned() throws(ModuleRefusal) -> Int {
        let start = offset
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            let byte = try byte()
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard value <= UInt64(UInt32.max) else { break }
                return Int(value)
            }
        }
        throw invalid("a number does not fit into 32 bits", at: start)
    }

    /// The number of items that follow; each takes at least one byte, so a larger number is refused.
    mutating func count(_ what: String) throws(ModuleRefusal) -> Int {
        let start = offset
        let count = try unsigned()
        guard count <= limit - offset else {
            throw invalid("\(count) \(what) cannot stand in \(limit - offset) bytes", at: start)
        }
        return count
    }

    mutating func name() throws(ModuleRefusal) -> String {
        let start = offset
        let length = try unsigned()
        guard length <= limit - offset else { throw invalid("a name is cut off", at: start) }
        guard let name = String(validating: code[offset..<offset + length], as: UTF8.self) else {
            throw invalid("a name is not UTF-8", at: start)
        }
        offset += length
        return name
    }
}
