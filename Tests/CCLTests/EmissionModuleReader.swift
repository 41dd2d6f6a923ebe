internal import Testing

/// Reads the parts of a module that tests look at; written apart from what writes them.
struct ModuleReader {
    struct Malformed: Error {}

    struct Import: Equatable {
        var module: String
        var name: String
        var type: Int
    }

    struct Export: Equatable {
        var name: String
        var kind: UInt8
        var index: Int
    }

    private(set) var sections: [(number: UInt8, name: String, start: Int, content: [UInt8])] = []
    private(set) var types: [(parameters: [UInt8], results: [UInt8])] = []
    private(set) var imports: [Import] = []
    private(set) var functions: [Int] = []
    private(set) var memory: (least: Int, most: Int?) = (0, nil)
    private(set) var exports: [Export] = []
    /// Locals and instructions of each function, and where they start in the module.
    private(set) var codes: [[UInt8]] = []
    private(set) var codeStarts: [Int] = []
    private(set) var data: [UInt8] = []
    private(set) var moduleName: String?
    private(set) var functionNames: [Int: String] = [:]
    private(set) var localNames: [Int: [Int: String]] = [:]

    init(_ bytes: [UInt8]) throws {
        var input = Input(bytes: bytes)
        guard try input.take(8) == [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] else { throw Malformed() }
        while !input.isAtEnd {
            let number = try input.byte()
            let count = try input.unsigned()
            let start = input.position
            var section = Input(bytes: try input.take(count))
            let name = number == 0 ? try section.name() : ""
            let contentStart = start + section.position
            sections.append((number, name, contentStart, Array(section.bytes[section.position...])))
            try read(number, name, &section, start: start)
        }
    }

    private mutating func read(_ number: UInt8, _ name: String, _ section: inout Input, start: Int) throws {
        switch number {
        case 0 where name == "name": try readNames(&section)
        case 1:
            for _ in 0..<(try section.unsigned()) {
                guard try section.byte() == 0x60 else { throw Malformed() }
                let parameters = try section.take(try section.unsigned())
                types.append((parameters, try section.take(try section.unsigned())))
            }
        case 2:
            for _ in 0..<(try section.unsigned()) {
                let (module, name) = (try section.name(), try section.name())
                guard try section.byte() == 0 else { throw Malformed() }
                imports.append(Import(module: module, name: name, type: try section.unsigned()))
            }
        case 3: for _ in 0..<(try section.unsigned()) { functions.append(try section.unsigned()) }
        case 5:
            guard try section.byte() == 1 else { throw Malformed() }
            let hasMost = try section.byte() == 1
            memory = (try section.unsigned(), hasMost ? try section.unsigned() : nil)
        case 7:
            for _ in 0..<(try section.unsigned()) {
                exports.append(
                    Export(name: try section.name(), kind: try section.byte(), index: try section.unsigned()))
            }
        case 10:
            for _ in 0..<(try section.unsigned()) {
                let count = try section.unsigned()
                codeStarts.append(start + section.position)
                codes.append(try section.take(count))
            }
        case 11:
            guard try section.take(5) == [1, 0, 0x41, 0, 0x0b] else { throw Malformed() }
            data = try section.take(try section.unsigned())
        default: return
        }
        guard section.isAtEnd else { throw Malformed() }
    }

    private mutating func readNames(_ section: inout Input) throws {
        while !section.isAtEnd {
            let kind = try section.byte()
            var part = Input(bytes: try section.take(try section.unsigned()))
            switch kind {
            case 0: moduleName = try part.name()
            case 1: functionNames = try part.names()
            case 2:
                for _ in 0..<(try part.unsigned()) {
                    let function = try part.unsigned()
                    localNames[function] = try part.names()
                }
            default: throw Malformed()
            }
            guard part.isAtEnd else { throw Malformed() }
        }
    }

    /// Bytes that are read from the front.
    struct Input {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func byte() throws -> UInt8 {
            guard position < bytes.count else { throw Malformed() }
            position += 1
            return bytes[position - 1]
        }

        mutating func take(_ count: Int) throws -> [UInt8] {
            guard count <= bytes.count - position else { throw Malformed() }
            position += count
            return Array(bytes[position - count..<position])
        }

        mutating func unsigned() throws -> Int {
            var value = 0
            var shift = 0
            while true {
                let next = try byte()
                value |= Int(next & 0x7f) << shift
                if next < 0x80 { return value }
                shift += 7
                if shift > 28 { throw Malformed() }
            }
        }

        mutating func name() throws -> String {
            guard let text = String(validating: try take(try unsigned()), as: UTF8.self) else {
                throw Malformed()
            }
            return text
        }

        /// A map of names, whose indexes rise.
        mutating func names() throws -> [Int: String] {
            var names: [Int: String] = [:]
            var last = -1
            for _ in 0..<(try unsigned()) {
                let index = try unsigned()
                guard index > last else { throw Malformed() }
                last = index
                names[index] = try name()
            }
            return names
        }
    }
}
