/// Where everything lies in a module's memory.
struct MemoryLayout {
    /// By the number of the string.
    private(set) var strings: [Int]
    /// By the number of the table.
    private(set) var tables: [Int] = []
    /// What the memory holds from address 0 on.
    private(set) var data: [UInt8]
    private(set) var name = 0
    private(set) var failure = 0
    private(set) var output = 0
    /// Where what is made while the contract runs begins.
    private(set) var heap = 0

    static let pageByteCount = 65_536
    /// So that the end of memory is an address too.
    static let pageCountMax = 65_535

    /// Digits of a line, and what stands between them and the text.
    private static let failureByteCount = 12
    /// What `fd_write` reads and writes, 12 bytes, and the digits of an integer.
    private static let outputByteCount = 32

    init(_ emitter: Emitter) {
        (strings, data) = emitter.strings.layout()
        for table in emitter.tables.tables {
            tables.append(data.count)
            for entry in table {
                let bits =
                    switch entry {
                    case .bits(let bits): bits
                    case .string(let number):
                        UInt64(strings[number]) << 32 | UInt64(emitter.strings.lengths[number])
                    }
                for index in 0..<8 as Range<UInt64> {
                    data.append(UInt8(truncatingIfNeeded: bits >> (index * 8)))
                }
            }
        }
        let hasOutput = emitter.scratch.contains(.output)
        if hasOutput, emitter.scratch.contains(.name) {
            // Before the name: a failure's text takes all the memory behind it.
            output = Self.aligned(data.count)
            data.append(contentsOf: [UInt8](repeating: 0, count: output + Self.outputByteCount - data.count))
        }
        if emitter.scratch.contains(.name) {
            name = data.count
            data.append(contentsOf: emitter.program.name.utf8)
            data.append(UInt8(ascii: ":"))
        }
        heap = data.count
        if emitter.scratch.contains(.failure) {
            failure = heap
            // And the text: one that lies in the data is no longer than that, and one that was made takes its
            // place to a lower address.
            heap += Self.failureByteCount + data.count
        }
        if hasOutput, !emitter.scratch.contains(.name) {
            output = Self.aligned(heap)
            heap = output + Self.outputByteCount
        }
    }

    /// Some runtimes refuse what is not aligned.
    private static func aligned(_ address: Int) -> Int { (address + 3) & ~3 }

    /// The least memory that everything fits in.
    var pageCount: Int { (heap + Self.pageByteCount - 1) / Self.pageByteCount }
}
