internal import MeshCore

/// Reads JSON as RFC 8259 has it, byte by byte, and refuses everything else.
///
/// Beyond the grammar it refuses what readers disagree about: a key that stands twice in one object,
/// text that is not UTF-8, half of a surrogate pair. Every step compares its index with the end first.
struct DocumentScanner {
    let bytes: [UInt8]
    let limits: DocumentLimits
    var index = 0
    /// How many values were read, but for an object that was asked for as such.
    private(set) var values = 0

    mutating func advance(_ count: Int) { index += count }

    init(_ bytes: [UInt8], limits: DocumentLimits) throws(ExecutionError) {
        try limits.check(byteCount: bytes.count)
        self.bytes = bytes
        self.limits = limits
    }

    func wrong(_ what: String) -> ExecutionError {
        ExecutionError(.badJSON, "\(what) at byte \(index)")
    }

    /// The byte at the index; 0 at the end, which stands for nothing in JSON.
    var next: UInt8 { index < bytes.count ? bytes[index] : 0 }

    mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    mutating func expect(_ character: Unicode.Scalar) throws(ExecutionError) {
        guard next == UInt8(ascii: character) else { throw wrong("'\(character)' was expected") }
        index += 1
    }

    mutating func expectEnd() throws(ExecutionError) {
        skipSpace()
        guard index == bytes.count else { throw wrong("something follows the value") }
    }

    /// Reads the value at the index; `depth` is how many values hold it.
    mutating func value(depth: Int) throws(ExecutionError) -> DocumentValue {
        values += 1
        guard values <= limits.valueCountMax else {
            throw limits.tooManyValues
        }
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth) { _, _, _ in })
        case UInt8(ascii: "["): return .list(try list(depth: depth))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    /// Reads an object and tells where the value of each member stands.
    mutating func object(
        depth: Int, member: (DocumentText, DocumentValue, Range<Int>) -> Void
    ) throws(ExecutionError) -> [DocumentMember] {
        try enter(depth)
        try expect("{")
        var members: [DocumentMember] = []
        var keys: Set<DocumentText> = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            index += 1
            return []
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw wrong("a key was expected") }
            let key = try text()
            // A few keys are compared one by one, which needs no table.
            let isTwice: Bool
            if members.count < 8 {
                isTwice = members.contains { $0.key == key }
            } else {
                if keys.isEmpty { keys = Set(members.map(\.key)) }
                isTwice = !keys.insert(key).inserted
            }
            guard !isTwice else { throw wrong("a key stands twice in one object, before") }
            skipSpace()
            try expect(":")
            skipSpace()
            let start = index
            let value = try value(depth: depth + 1)
            members.append(DocumentMember(key, value))
            member(key, value, start..<index)
            skipSpace()
            if next == UInt8(ascii: "}") {
                index += 1
                return members
            }
            try expect(",")
        }
    }

    private mutating func list(depth: Int) throws(ExecutionError) -> [DocumentValue] {
        try enter(depth)
        try expect("[")
        var elements: [DocumentValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            index += 1
            return []
        }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if next == UInt8(ascii: "]") {
                index += 1
                return elements
            }
            try expect(",")
        }
    }

    private func enter(_ depth: Int) throws(ExecutionError) {
        guard depth < limits.depthMax else {
            throw limits.tooDeep(" at byte \(index)")
        }
    }

    private mutating func word(_ word: StaticString, _ value: DocumentValue) throws(ExecutionError)
        -> DocumentValue
    {
        let wanted = Array(word.description.utf8)
        guard bytes.count - index >= wanted.count, bytes[index..<index + wanted.count].elementsEqual(wanted)
        else { throw wrong("a value was expected") }
        index += wanted.count
        return value
    }

    private mutating func number() throws(ExecutionError) -> DocumentNumber {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        if next == UInt8(ascii: "0") {
            index += 1
        } else {
            try digits()
        }
        if next == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if next | 0x20 == UInt8(ascii: "e") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        guard index - start <= limits.numberLengthMax else {
            throw limits.tooManyDigits
        }
        return DocumentNumber(checked: Array(bytes[start..<index]))
    }

    private mutating func digits() throws(ExecutionError) {
        let start = index
        while (0x30...0x39).contains(next) { index += 1 }
        guard index > start else { throw wrong("a value was expected") }
    }
}
