internal import MeshCore

/// Code as it is written: bytes, and the places where a number belongs that is known only at the end.
///
/// Functions are written before it is known which host functions come before them, and strings are used before
/// they have an address. ``Linker`` puts the numbers in.
struct CodeBuffer {
    /// A number that stands behind the bytes before `offset`.
    struct Symbol {
        enum Target {
            /// The index of a function.
            case function(Callee)
            /// The address of a string, as the operand of `i32.const`.
            case address(string: Int)
            /// A string as one value, as the operand of `i64.const`.
            case packed(string: Int)
            /// The address of a table of constants, as the offset of a load.
            case table(Int)
            /// An address behind the data, as the operand of `i32.const`.
            case scratch(Scratch)
        }

        var offset: Int
        var target: Target
    }

    /// The code from `offset` on stands at `position` in the text; `nil` is code of nobody's text.
    struct Mark {
        var offset: Int
        var position: SourcePosition?
    }

    /// Code that has been taken out, to be put in elsewhere.
    struct Piece {
        var bytes: [UInt8]
        var symbols: [Symbol]
        var marks: [Mark]
    }

    private(set) var bytes: [UInt8] = []
    private(set) var symbols: [Symbol] = []
    private(set) var marks: [Mark] = []
    /// The local that the bytes before this offset set, when they do.
    private var lastSet: (end: Int, local: Int)?

    var count: Int { bytes.count }

    mutating func write(_ opcode: Opcode) {
        bytes.append(opcode.rawValue)
    }

    mutating func write(byte: UInt8) {
        bytes.append(byte)
    }

    mutating func write(count: Int) {
        bytes.appendCount(count)
    }

    mutating func write(_ target: Symbol.Target) {
        symbols.append(Symbol(offset: bytes.count, target: target))
    }

    mutating func i32(_ value: Int32) {
        write(.i32Constant)
        bytes.appendSigned(Int64(value))
    }

    /// The shortest way to a 64-bit integer.
    mutating func i64(_ value: Int64) {
        let zeros = value.trailingZeroBitCount
        if value != 0, LEB128.size(signed: value >> zeros) + 3 < LEB128.size(signed: value) {
            write(.i64Constant)
            bytes.appendSigned(value >> zeros)
            write(.i64Constant)
            bytes.appendSigned(Int64(zeros))
            write(.i64ShiftLeft)
        } else {
            write(.i64Constant)
            bytes.appendSigned(value)
        }
    }

    /// The shortest way to a 64-bit decimal.
    mutating func f64(_ value: Double) {
        if let integer = Int32(exactly: value), integer != 0 || value.sign == .plus {
            i32(integer)
            write(.f64ConvertI32)
        } else if Double(Float(value)).bitPattern == value.bitPattern {
            write(.f32Constant)
            append(UInt64(Float(value).bitPattern), byteCount: 4)
            write(.f64Promote)
        } else {
            write(.f64Constant)
            append(value.bitPattern, byteCount: 8)
        }
    }

    private mutating func append(_ bits: UInt64, byteCount: UInt64) {
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> (index * 8))) }
    }

    /// Pushes a local; what was set right before is kept instead.
    mutating func get(_ local: Int) {
        if let lastSet, lastSet.end == bytes.count, lastSet.local == local {
            bytes[bytes.count - 1 - LEB128.size(unsigned: UInt64(local))] = Opcode.localTee.rawValue
            forget()
        } else {
            write(.localGet)
            write(count: local)
        }
    }

    mutating func set(_ local: Int) {
        write(.localSet)
        write(count: local)
        lastSet = (bytes.count, local)
    }

    mutating func tee(_ local: Int) {
        write(.localTee)
        write(count: local)
    }

    mutating func call(_ callee: Callee) {
        write(.call)
        write(.function(callee))
    }

    /// What comes next does not follow upon what stands before it.
    mutating func forget() {
        lastSet = nil
    }

    mutating func mark(_ position: SourcePosition?) {
        if let last = marks.last, last.offset == bytes.count {
            marks[marks.count - 1].position = position
        } else if marks.isEmpty || marks[marks.count - 1].position != position {
            marks.append(Mark(offset: bytes.count, position: position))
        }
    }

    /// Takes out everything from an offset on.
    mutating func cut(from offset: Int) -> Piece {
        let piece = Piece(
            bytes: Array(bytes[offset...]),
            // A number at the very place belongs to the instruction before it.
            symbols: Array(symbols[symbols.tail(from: offset + 1) { $0.offset }...]),
            marks: Array(marks[marks.tail(from: offset) { $0.offset }...]))
        bytes.removeLast(piece.bytes.count)
        symbols.removeLast(piece.symbols.count)
        marks.removeLast(piece.marks.count)
        forget()
        return Piece(
            bytes: piece.bytes,
            symbols: piece.symbols.map { Symbol(offset: $0.offset - offset, target: $0.target) },
            marks: piece.marks.map { Mark(offset: $0.offset - offset, position: $0.position) })
    }

    mutating func paste(_ piece: Piece) {
        let base = bytes.count
        symbols.append(
            contentsOf: piece.symbols.lazy.map { Symbol(offset: base + $0.offset, target: $0.target) })
        for mark in piece.marks {
            if let last = marks.last, last.offset == base + mark.offset { marks.removeLast() }
            marks.append(Mark(offset: base + mark.offset, position: mark.position))
        }
        bytes.append(contentsOf: piece.bytes)
        forget()
    }
}

extension Array {
    /// The first of the last elements whose place is not before the offset.
    fileprivate func tail(from offset: Int, _ place: (Element) -> Int) -> Int {
        var index = count
        while index > 0, place(self[index - 1]) >= offset { index -= 1 }
        return index
    }
}

/// A function that code calls.
enum Callee: Hashable {
    /// By its place among the functions that are written.
    case function(Int)
    case host(HostFunction)
    case helper(Helper)
    /// `fd_write` of WASI.
    case write
}

/// Memory behind the data that is written while the contract runs.
enum Scratch: Hashable {
    /// The contract's name and a colon, the last of the data.
    case name
    /// Right behind it, where a failure's line goes.
    case failure
    /// What `fd_write` is told and what it tells; then the digits of a number.
    case output
}
