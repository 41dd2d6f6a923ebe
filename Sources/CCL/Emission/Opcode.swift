/// The instructions of WebAssembly that contracts become.
enum Opcode: UInt8 {
    case unreachable = 0x00
    case block = 0x02
    case loop = 0x03
    case conditional = 0x04
    case otherwise = 0x05
    case end = 0x0b
    case branch = 0x0c
    case branchIf = 0x0d
    case branchTable = 0x0e
    case leave = 0x0f
    case call = 0x10
    case drop = 0x1a
    case select = 0x1b
    case localGet = 0x20
    case localSet = 0x21
    case localTee = 0x22
    case globalGet = 0x23
    case globalSet = 0x24
    case i32Load = 0x28
    case i64Load = 0x29
    case f64Load = 0x2b
    case i32Load8 = 0x2d
    case i32Store = 0x36
    case i32Store8 = 0x3a
    case i32Store16 = 0x3b
    case memorySize = 0x3f
    case memoryGrow = 0x40
    case i32Constant = 0x41
    case i64Constant = 0x42
    case f32Constant = 0x43
    case f64Constant = 0x44
    case i32IsZero = 0x45
    case i32Equal = 0x46
    case i32NotEqual = 0x47
    case i32GreaterOrEqualUnsigned = 0x4f
    case i64IsZero = 0x50
    case i64Equal = 0x51
    case i64NotEqual = 0x52
    case i64Less = 0x53
    case i64Greater = 0x55
    case i64GreaterUnsigned = 0x56
    case i64LessOrEqual = 0x57
    case i64GreaterOrEqual = 0x59
    case f64Equal = 0x61
    case f64NotEqual = 0x62
    case f64Less = 0x63
    case f64Greater = 0x64
    case f64LessOrEqual = 0x65
    case f64GreaterOrEqual = 0x66
    case i32Add = 0x6a
    case i32Subtract = 0x6b
    case i32And = 0x71
    case i32Or = 0x72
    case i64Add = 0x7c
    case i64Subtract = 0x7d
    case i64Multiply = 0x7e
    case i64Divide = 0x7f
    case i64DivideUnsigned = 0x80
    case i64Remainder = 0x81
    case i64RemainderUnsigned = 0x82
    case i64And = 0x83
    case i64Or = 0x84
    case i64Xor = 0x85
    case i64ShiftLeft = 0x86
    case i64ShiftRightUnsigned = 0x88
    case f64Absolute = 0x99
    case f64Negate = 0x9a
    case f64Ceiling = 0x9b
    case f64Floor = 0x9c
    case f64Nearest = 0x9e
    case f64Add = 0xa0
    case f64Subtract = 0xa1
    case f64Multiply = 0xa2
    case f64Divide = 0xa3
    case f64Minimum = 0xa4
    case f64Maximum = 0xa5
    case f64CopySign = 0xa6
    case i32Wrap = 0xa7
    case i64ExtendUnsigned = 0xad
    case i64Truncate = 0xb0
    case f64ConvertI32 = 0xb7
    case f64ConvertI64 = 0xb9
    case f64Promote = 0xbb
    /// `memory.copy` with what follows it.
    case bulk = 0xfc
}

/// The types of WebAssembly that values have.
enum MachineType: UInt8, Hashable {
    case i32 = 0x7f
    case i64 = 0x7e
    case f64 = 0x7c

    /// What a block is that leaves nothing.
    static let nothing: UInt8 = 0x40
}

extension ValueType {
    /// A string is `address << 32 | length`, a boolean 0 or 1.
    var machine: MachineType {
        switch self {
        case .string, .integer, .duration: .i64
        case .decimal: .f64
        case .boolean: .i32
        }
    }
}

/// What a function takes and gives.
struct Signature: Hashable {
    var parameters: [MachineType]
    var results: [MachineType]

    init(_ parameters: [MachineType], _ results: [MachineType] = []) {
        self.parameters = parameters
        self.results = results
    }
}
