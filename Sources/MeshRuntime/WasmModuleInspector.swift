internal import MeshCore

/// Looks at a module's bytes before anything is published or compiled.
///
/// The inspector walks the sections that decide whether a job can run here at all and names the byte at
/// which it found a fault. It does not look into function bodies: the engine validates those. Hostile
/// bytes cost no more than their length.
public enum WasmModuleInspector {
    /// The reason why `code` cannot be run here, or `nil`.
    ///
    /// - Parameters:
    ///   - code: The module's bytes.
    ///   - entry: The exported function to call; `nil` asks for `_start`, `run` or `main`.
    ///   - moduleBytesMax: The largest module that is looked at.
    /// - Returns: The first fault found, with its byte, or `nil`.
    public static func inspect(_ code: [UInt8], entry: String?, moduleBytesMax: Int) -> ModuleRefusal? {
        do throws(ModuleRefusal) {
            let facts = try facts(code, moduleBytesMax: moduleBytesMax)
            try requireEntry(entry, facts)
            return nil
        } catch {
            return error
        }
    }

    /// The module's own description of itself.
    ///
    /// - Throws: ``ModuleRefusal`` for whatever keeps the module from running here, but for a missing
    ///   entry point.
    public static func facts(_ code: [UInt8], moduleBytesMax: Int) throws(ModuleRefusal) -> WasmModuleFacts {
        guard code.count <= moduleBytesMax else {
            throw ModuleRefusal(
                .tooLarge, "the module has \(code.count) bytes; \(moduleBytesMax) are allowed",
                offset: moduleBytesMax)
        }
        let magic: [UInt8] = [0x00, 0x61, 0x73, 0x6d]
        for index in 0..<4 where index >= code.count || code[index] != magic[index] {
            throw ModuleRefusal(.notWasm, "the file does not start like a WebAssembly module", offset: index)
        }
        guard code.count >= 8 else {
            throw ModuleRefusal(.notWasm, "the file ends within the version number", offset: code.count)
        }
        if code[6] == 1 {
            throw ModuleRefusal(
                .component, "this is a component; build a core module (preview 1) instead", offset: 6)
        }
        guard code[4] == 1, code[5] == 0, code[6] == 0, code[7] == 0 else {
            throw ModuleRefusal(.notWasm, "the file has an unknown version of WebAssembly", offset: 4)
        }
        var walk = SectionWalk(code)
        return try walk.run()
    }

    /// Checks that the module has the entry point that is asked for.
    public static func requireEntry(_ entry: String?, _ facts: WasmModuleFacts) throws(ModuleRefusal) {
        if facts.entry(named: entry) != nil { return }
        let offset =
            facts.sections.first { $0.identifier == 7 }?.start ?? facts.sections.last?.content.upperBound
        let wanted = entry.map { "a function \"\($0.prefix(64))\"" } ?? "_start, run or main"
        throw ModuleRefusal(
            .noEntryPoint, "the module does not export \(wanted) without parameters", offset: offset ?? 8)
    }
}

/// One pass over a module's sections.
private struct SectionWalk {
    private var reader: WasmReader
    private var facts = WasmModuleFacts()
    private var types: [(parameters: [UInt8], results: [UInt8])?] = []
    /// The type of every function, imported ones first.
    private var functions: [Int] = []
    private var memoryCount = 0

    init(_ code: [UInt8]) {
        reader = WasmReader(code, at: 8)
    }

    mutating func run() throws(ModuleRefusal) -> WasmModuleFacts {
        var rank = 0
        while !reader.isAtEnd {
            let start = reader.offset
            let identifier = try reader.byte()
            let size = try reader.unsigned()
            guard size <= reader.remaining else {
                throw reader.invalid("section \(identifier) runs past the end of the module", at: start)
            }
            let content = reader.offset..<reader.offset + size
            if identifier != 0 {
                let next = try Self.rank(identifier, reader, start)
                guard next > rank else {
                    throw reader.invalid("section \(identifier) is out of order", at: start)
                }
                rank = next
            }
            facts.sections.append(.init(identifier: identifier, start: start, content: content))
            reader.limit = content.upperBound
            switch identifier {
            case 0: try customSection(start, content)
            case 1: try typeSection()
            case 2: try importSection()
            case 3: try functionSection()
            case 5: try memorySection()
            case 6: facts.globalCount += try reader.count("globals")
            case 7: try exportSection()
            default: break
            }
            let walked: Set<UInt8> = [1, 2, 3, 5, 7]
            if walked.contains(identifier), reader.offset != content.upperBound {
                throw reader.invalid("section \(identifier) is longer than its content", at: reader.offset)
            }
            reader.skip(to: content.upperBound)
        }
        facts.typeCount = types.count
        facts.functionCount = functions.count
        return facts
    }

    /// The order in which sections stand; the data count (12) comes before the code, tags (13) before globals.
    private static func rank(
        _ identifier: UInt8, _ reader: WasmReader, _ start: Int
    ) throws(ModuleRefusal) -> Int {
        let order: [UInt8] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]
        guard let index = order.firstIndex(of: identifier) else {
            throw reader.invalid("section \(identifier) is unknown", at: start)
        }
        return index + 1
    }

    private mutating func typeSection() throws(ModuleRefusal) {
        for _ in 0..<(try reader.count("types")) {
            let start = reader.offset
            guard try reader.byte() == 0x60 else {
                throw reader.invalid("only function types are supported", at: start)
            }
            types.append((try valueTypes(), try valueTypes()))
        }
    }

    private mutating func valueTypes() throws(ModuleRefusal) -> [UInt8] {
        let count = try reader.count("value types")
        var kinds: [UInt8] = []
        for _ in 0..<count {
            let start = reader.offset
            let kind = try reader.byte()
            switch kind {
            case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f: kinds.append(kind)
            default:
                throw reader.invalid("value type 0x\(String(kind, radix: 16)) is not supported", at: start)
            }
        }
        return kinds
    }

    private mutating func importSection() throws(ModuleRefusal) {
        for _ in 0..<(try reader.count("imports")) {
            let start = reader.offset
            let module = try reader.name()
            let name = try reader.name()
            let kind = try reader.byte()
            guard kind == 0 else {
                throw ModuleRefusal(
                    .unknownImport,
                    "\(module.prefix(64)).\(name.prefix(64)) is not a function; only functions can be imported",
                    offset: start)
            }
            let typeOffset = reader.offset
            let type = try reader.unsigned()
            guard type < types.count, let signature = types[type] else {
                throw reader.invalid("type \(type) does not exist", at: typeOffset)
            }
            let expected = try Self.provided(module, name, at: start)
            guard signature.parameters == expected.parameters, signature.results == expected.results else {
                throw ModuleRefusal(
                    .unknownImport, "\(name) is imported with a signature that it does not have",
                    offset: start)
            }
            functions.append(type)
            facts.importedFunctionCount += 1
        }
    }

    /// The signature of a function that modules can import here.
    private static func provided(
        _ module: String, _ name: String, at start: Int
    ) throws(ModuleRefusal) -> (parameters: [UInt8], results: [UInt8]) {
        func types(_ kinds: String) -> [UInt8] {
            kinds.utf8.map { $0 == UInt8(ascii: "I") ? 0x7e : 0x7f }
        }
        if module == WASIPreview1.moduleName, let function = WASIPreview1(rawValue: name) {
            return (types(function.parameters), function.returnsErrorNumber ? [0x7f] : [])
        }
        if module == HostFunction.moduleName, let function = HostFunction(rawValue: name) {
            return (types(function.parameters), function.returnsAnswer ? [0x7f] : [])
        }
        var message = "the module imports \(module.prefix(64)).\(name.prefix(64)), which is not provided here"
        if module == HostFunction.moduleName,
            let nearest = NearestName.of(name, among: HostFunction.allCases.map(\.rawValue))
        {
            message += "; is \(nearest) meant?"
        }
        throw ModuleRefusal(.unknownImport, message, offset: start)
    }

    /// Reads the section in which a contract declares itself; any other custom section is passed over.
    private mutating func customSection(_ start: Int, _ content: Range<Int>) throws(ModuleRefusal) {
        guard try reader.name() == ContractSection.name else { return }
        guard facts.contract == nil else {
            throw reader.invalid("a second section \(ContractSection.name)", at: start)
        }
        facts.contract = try ContractSection(reader.code, in: reader.offset..<content.upperBound)
    }

    private mutating func functionSection() throws(ModuleRefusal) {
        for _ in 0..<(try reader.count("functions")) {
            let start = reader.offset
            let type = try reader.unsigned()
            guard type < types.count else { throw reader.invalid("type \(type) does not exist", at: start) }
            functions.append(type)
        }
    }

    private mutating func memorySection() throws(ModuleRefusal) {
        for _ in 0..<(try reader.count("memories")) {
            let start = reader.offset
            let flags = try reader.byte()
            guard flags <= 1 else {
                throw reader.invalid("shared and 64-bit memories are not supported", at: start)
            }
            let minimum = try reader.unsigned()
            if flags == 1 { _ = try reader.unsigned() }
            memoryCount += 1
            guard memoryCount == 1 else {
                throw reader.invalid("a second memory is not supported", at: start)
            }
            guard minimum <= 65_536 else { throw reader.invalid("a memory of more than 4 GiB", at: start) }
            facts.hasMemory = true
            facts.memoryMinimumPages = UInt64(minimum)
            facts.memoryOffset = start
        }
    }

    private mutating func exportSection() throws(ModuleRefusal) {
        for _ in 0..<(try reader.count("exports")) {
            let name = try reader.name()
            let start = reader.offset
            let kind = try reader.byte()
            let index = try reader.unsigned()
            guard kind <= 4 else { throw reader.invalid("export kind \(kind) is unknown", at: start) }
            if kind == 2, facts.memoryExport == nil || name == "memory" { facts.memoryExport = name }
            guard kind == 0 else { continue }
            guard index < functions.count else {
                throw reader.invalid("function \(index) does not exist", at: start)
            }
            guard let type = types[functions[index]], type.parameters.isEmpty else { continue }
            if type.results.isEmpty {
                facts.entries.append(.init(name: name, kind: .returnsNothing))
            } else if type.results == [0x7f] {
                facts.entries.append(.init(name: name, kind: .returnsStatus))
            }
        }
    }
}
