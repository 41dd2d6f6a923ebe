internal import MeshCore

/// Puts a module together from what an emitter wrote.
struct Linker {
    private let emitter: Emitter
    private let layout: MemoryLayout
    /// What is imported, in order.
    private let imports: [(module: String, name: String, signature: Signature)]
    /// By the host function, for those that are imported.
    private var importIndexes: [HostFunction: Int] = [:]

    private var signatures: [Signature] = []
    private var signatureIndexes: [Signature: Int] = [:]
    /// Where the code of the text stands, in bytes of the module once it is whole.
    private(set) var mappings: [CodeBuffer.Mark] = []

    init(_ emitter: Emitter) {
        self.emitter = emitter
        layout = MemoryLayout(emitter)
        let hosts = emitter.hosts
        switch emitter.target {
        case .host:
            imports = hosts.map { (HostFunction.moduleName, $0.rawValue, $0.signature) }
            for (index, host) in hosts.enumerated() { importIndexes[host] = index }
        case .wasi:
            let write = Signature([.i32, .i32, .i32, .i32], [.i32])
            imports = hosts.isEmpty ? [] : [("wasi_snapshot_preview1", "fd_write", write)]
        }
    }

    /// The sections that make the module run, and what stands before them.
    mutating func module(main: Int, handlers: [(event: String, place: Int)]) -> [UInt8] {
        var importing: [UInt8] = []
        importing.appendCount(imports.count)
        for entry in imports {
            importing.appendName(entry.module)
            importing.appendName(entry.name)
            importing.append(0)
            importing.appendCount(index(of: entry.signature))
        }
        var functions: [UInt8] = []
        functions.appendCount(emitter.written.count)
        for function in emitter.written { functions.appendCount(index(of: function.signature)) }

        var module: [UInt8] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
        module.appendSection(1, types())
        if !imports.isEmpty { module.appendSection(2, importing) }
        module.appendSection(3, functions)
        module.appendSection(5, memory())
        if emitter.usesHeap { module.appendSection(6, global()) }
        module.appendSection(7, exports(main, handlers))
        let code = code()
        module.append(10)
        module.appendCount(code.count)
        for index in mappings.indices { mappings[index].offset += module.count }
        module.append(contentsOf: code)
        if !layout.data.isEmpty { module.appendSection(11, data()) }
        return module
    }

    // MARK: Sections

    private mutating func index(of signature: Signature) -> Int {
        if let index = signatureIndexes[signature] { return index }
        signatureIndexes[signature] = signatures.count
        signatures.append(signature)
        return signatures.count - 1
    }

    private func types() -> [UInt8] {
        var section: [UInt8] = []
        section.appendCount(signatures.count)
        for signature in signatures {
            section.append(0x60)
            section.appendCount(signature.parameters.count)
            section.append(contentsOf: signature.parameters.lazy.map(\.rawValue))
            section.appendCount(signature.results.count)
            section.append(contentsOf: signature.results.lazy.map(\.rawValue))
        }
        return section
    }

    private func memory() -> [UInt8] {
        var section: [UInt8] = [1]
        section.append(emitter.usesHeap ? 1 : 0)
        section.appendCount(layout.pageCount)
        if emitter.usesHeap { section.appendCount(MemoryLayout.pageCountMax) }
        return section
    }

    /// The heap's top.
    private func global() -> [UInt8] {
        var section: [UInt8] = [1, MachineType.i64.rawValue, 1, Opcode.i64Constant.rawValue]
        section.appendSigned(Int64(layout.heap))
        section.append(Opcode.end.rawValue)
        return section
    }

    private func exports(_ main: Int, _ handlers: [(event: String, place: Int)]) -> [UInt8] {
        var section: [UInt8] = []
        section.appendCount(3 + handlers.count)
        section.appendName("memory")
        section.append(contentsOf: [2, 0])
        for (name, place) in [("run", main), ("_start", main)]
            + handlers.map({ ("on:" + $0.event, $0.place) })
        {
            section.appendName(name)
            section.append(0)
            section.appendCount(imports.count + place)
        }
        return section
    }

    private func data() -> [UInt8] {
        var section: [UInt8] = [1, 0, Opcode.i32Constant.rawValue, 0, Opcode.end.rawValue]
        section.appendCount(layout.data.count)
        section.append(contentsOf: layout.data)
        return section
    }

    // MARK: Code

    private mutating func code() -> [UInt8] {
        var section: [UInt8] = []
        section.reserveCapacity(emitter.code.count + emitter.code.symbols.count)
        section.appendCount(emitter.written.count)
        let bytes = emitter.code.bytes
        let symbols = emitter.code.symbols
        let marks = emitter.code.marks
        var nextSymbol = 0
        var nextMark = 0
        for function in emitter.written {
            var size = function.locals.count + function.body.count
            var index = nextSymbol
            while index < symbols.count, symbols[index].offset <= function.body.upperBound {
                size += self.size(of: symbols[index].target)
                index += 1
            }
            section.appendCount(size)
            section.append(contentsOf: bytes[function.locals])
            var copied = function.body.lowerBound
            while true {
                // A number belongs to the instruction before it, so it comes before a mark of the same place.
                let symbol = nextSymbol < index ? symbols[nextSymbol].offset : Int.max
                let mark = nextMark < marks.count ? marks[nextMark].offset : Int.max
                let place = min(symbol, mark, function.body.upperBound)
                section.append(contentsOf: bytes[copied..<place])
                copied = place
                if symbol == place {
                    append(symbols[nextSymbol].target, to: &section)
                    nextSymbol += 1
                } else if mark == place, mark < function.body.upperBound {
                    mappings.append(
                        CodeBuffer.Mark(offset: section.count, position: marks[nextMark].position))
                    nextMark += 1
                } else {
                    break
                }
            }
        }
        return section
    }

    /// The number that belongs in a place, and whether it is written as a signed one.
    private func value(of target: CodeBuffer.Symbol.Target) -> (value: Int64, isSigned: Bool) {
        switch target {
        case .function(let callee):
            let index =
                switch callee {
                case .function(let place): imports.count + place
                case .helper(let helper): imports.count + emitter.helperPlaces[helper.rawValue]
                case .host(let host): importIndexes[host] ?? imports.count + (emitter.printers[host] ?? 0)
                case .write: 0
                }
            return (Int64(index), false)
        case .address(let string): return (Int64(layout.strings[string]), true)
        case .packed(let string):
            return (Int64(layout.strings[string]) << 32 | Int64(emitter.strings.lengths[string]), true)
        case .table(let table): return (Int64(layout.tables[table]), false)
        case .scratch(.name): return (Int64(layout.name), true)
        case .scratch(.failure): return (Int64(layout.failure), true)
        case .scratch(.output): return (Int64(layout.output), true)
        }
    }

    private func size(of target: CodeBuffer.Symbol.Target) -> Int {
        let (value, isSigned) = value(of: target)
        return isSigned ? LEB128.size(signed: value) : LEB128.size(unsigned: UInt64(bitPattern: value))
    }

    private func append(_ target: CodeBuffer.Symbol.Target, to section: inout [UInt8]) {
        let (value, isSigned) = value(of: target)
        if isSigned { section.appendSigned(value) } else { section.appendUnsigned(UInt64(bitPattern: value)) }
    }

    // MARK: Names

    /// The content of the section `name`: what the module, its functions and their locals are called.
    func names() -> [UInt8] {
        var section: [UInt8] = []
        section.appendName("name")
        var module: [UInt8] = []
        module.appendName(emitter.program.name)
        section.appendSection(0, module)

        var functions: [UInt8] = []
        functions.appendCount(imports.count + emitter.written.count)
        for (index, name) in (imports.map(\.name) + emitter.written.map(\.name)).enumerated() {
            functions.appendCount(index)
            functions.appendName(name)
        }
        section.appendSection(1, functions)

        let named = emitter.written.indices.filter { !emitter.written[$0].localNames.isEmpty }
        if named.isEmpty { return section }
        var locals: [UInt8] = []
        locals.appendCount(named.count)
        for place in named {
            locals.appendCount(imports.count + place)
            locals.appendCount(emitter.written[place].localNames.count)
            for local in emitter.written[place].localNames {
                locals.appendCount(local.index)
                locals.appendName(local.name)
            }
        }
        section.appendSection(2, locals)
        return section
    }
}
