internal import MeshRuntime

/// Makes a validated module tell what the engine's C interface does not: how large its memory grew, and
/// whether a growth was refused.
///
/// Every `memory.grow` becomes a call of one function that is added at the end and does the same, but
/// sets an exported global when the answer is −1; a memory that is not exported is exported. Nothing is
/// renumbered. A growth costs a few units of fuel more than without, everywhere alike, because the
/// profile names ``revision``. Custom sections are left out: nothing that runs depends on them.
enum MemoryInstrument {
    /// Names the transformation in the profile.
    static let revision = "counted/1"
    /// The export that says, by not being 0, that a growth was refused.
    static let refusalExport = "mesh:growth-refused"
    static let memoryExport = "mesh:memory"

    /// The module to compile in place of `code`.
    ///
    /// - Parameters:
    ///   - code: A module that the engine has found valid.
    ///   - facts: What the inspector found in it.
    /// - Returns: `nil` for an instruction that is not known here.
    static func apply(_ code: [UInt8], _ facts: WasmModuleFacts) -> [UInt8]? {
        guard facts.hasMemory else { return code }
        var bodies: [UInt8]?
        if let section = facts.sections.first(where: { $0.identifier == 10 }) {
            var rewriter = BodyRewriter(code, section.content, helper: facts.functionCount)
            guard rewriter.run() else { return nil }
            if rewriter.found { bodies = rewriter.output }
        }
        if bodies == nil, facts.memoryExport != nil { return code }

        var exports: [UInt8] = []
        var exportCount = 0
        if facts.memoryExport == nil {
            exports += export(memoryExport, kind: 2, index: 0)
            exportCount += 1
        }
        if bodies != nil {
            exports += export(refusalExport, kind: 3, index: facts.globalCount)
            exportCount += 1
        }
        var module: [UInt8] = Array(code.prefix(8))
        module.reserveCapacity(code.count + 256)
        for identifier: UInt8 in [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11] {
            let original = facts.sections.first { $0.identifier == identifier }.map { code[$0.content] }
            let content: [UInt8]?
            switch identifier {
            case 1 where bodies != nil: content = adding([0x60, 1, 0x7f, 1, 0x7f], count: 1, to: original)
            case 3 where bodies != nil: content = adding(unsigned(facts.typeCount), count: 1, to: original)
            case 6 where bodies != nil: content = adding([0x7f, 1, 0x41, 0, 0x0b], count: 1, to: original)
            case 7: content = adding(exports, count: exportCount, to: original)
            case 10 where bodies != nil:
                content = adding(helper(global: facts.globalCount), count: 1, to: (bodies ?? [])[...])
            default: content = original.map { Array($0) }
            }
            guard let content else { continue }
            module.append(identifier)
            module += unsigned(content.count)
            module += content
        }
        return module
    }

    private static func export(_ name: String, kind: UInt8, index: Int) -> [UInt8] {
        unsigned(name.utf8.count) + Array(name.utf8) + [kind] + unsigned(index)
    }

    /// `content`, a vector of items, with `count` more at its end.
    private static func adding(_ items: [UInt8], count: Int, to content: ArraySlice<UInt8>?) -> [UInt8] {
        let content = content ?? [0]
        var old = 0
        var shift = 0
        var index = content.startIndex
        while index < content.endIndex {
            old |= Int(content[index] & 0x7f) << shift
            shift += 7
            index += 1
            if content[index - 1] & 0x80 == 0 { break }
        }
        return unsigned(old + count) + content[index...] + items
    }

    /// `memory.grow`, and the global set to 1 when it gives −1.
    private static func helper(global: Int) -> [UInt8] {
        let body: [UInt8] =
            [0, 0x20, 0, 0x40, 0, 0x22, 0, 0x41, 0x7f, 0x46, 0x04, 0x40, 0x41, 1, 0x24] + unsigned(global)
            + [0x0b, 0x20, 0, 0x0b]
        return unsigned(body.count) + body
    }

    static func unsigned(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            let low = UInt8(rest & 0x7f)
            rest >>= 7
            bytes.append(rest == 0 ? low : low | 0x80)
        } while rest > 0
        return bytes
    }
}

/// Copies the function bodies of a code section and replaces `memory.grow` by a call.
///
/// The section is valid, so the walk only measures instructions; it still never reads past the end.
private struct BodyRewriter {
    private let code: [UInt8]
    private let end: Int
    private let call: [UInt8]
    private var offset: Int
    private(set) var output: [UInt8] = []
    private(set) var found = false

    init(_ code: [UInt8], _ content: Range<Int>, helper: Int) {
        self.code = code
        offset = content.lowerBound
        end = content.upperBound
        call = [0x10] + MemoryInstrument.unsigned(helper)
    }

    /// - Returns: `false` at an instruction that is not known.
    mutating func run() -> Bool {
        guard let count = number() else { return false }
        output = MemoryInstrument.unsigned(count)
        for _ in 0..<count {
            guard let size = number(), size <= end - offset else { return false }
            let bodyEnd = offset + size
            var body: [UInt8] = []
            var copied = offset
            guard let groups = number() else { return false }
            for _ in 0..<groups { guard number() != nil, skip(1) else { return false } }
            while offset < bodyEnd {
                let start = offset
                guard instruction() else { return false }
                if code[start] == 0x40 {
                    body += code[copied..<start]
                    body += call
                    copied = offset
                    found = true
                }
            }
            guard offset == bodyEnd else { return false }
            body += code[copied..<bodyEnd]
            output += MemoryInstrument.unsigned(body.count)
            output += body
        }
        return offset == end
    }

    private mutating func number() -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            guard offset < end else { return nil }
            let byte = code[offset]
            offset += 1
            value |= Int(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    /// Passes over `count` numbers of any width.
    private mutating func numbers(_ count: Int) -> Bool {
        for _ in 0..<count {
            while offset < end, code[offset] & 0x80 != 0 { offset += 1 }
            guard skip(1) else { return false }
        }
        return true
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard count <= end - offset else { return false }
        offset += count
        return true
    }

    /// Passes over one instruction.
    private mutating func instruction() -> Bool {
        let opcode = code[offset]
        offset += 1
        switch opcode {
        case 0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0x45...0xc4, 0xd1: return true
        case 0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x12, 0x20...0x26, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2:
            return numbers(1)
        case 0x11, 0x13, 0x28...0x3e: return numbers(2)
        case 0x0e:
            guard let count = number() else { return false }
            return numbers(count + 1)
        case 0x1c:
            guard let count = number() else { return false }
            return numbers(count)
        case 0x43: return skip(4)
        case 0x44: return skip(8)
        case 0xfc:
            switch number() {
            case .some(0...7): return true
            case 9, 11, 13, 15, 16, 17: return numbers(1)
            case 8, 10, 12, 14: return numbers(2)
            default: return false
            }
        case 0xfd: return vectorInstruction()
        default: return false
        }
    }

    private mutating func vectorInstruction() -> Bool {
        guard let operation = number() else { return false }
        switch operation {
        case 0...11, 92, 93: return numbers(2)
        case 12, 13: return skip(16)
        case 21...34: return skip(1)
        case 84...91: return numbers(2) && skip(1)
        case 14...255: return true
        default: return false
        }
    }
}
