/// The locals of the function that is being written.
///
/// Parameters come first, as they must; then what the text names, by type, so that few runs say them all; then
/// what the code itself needs, which is known only at the end.
struct LocalLayout {
    /// By the program's local: where it is, or nothing for one that never gets a value.
    private(set) var indexes: [Int?] = []
    /// How often the program gives each local a value, parameters once by being called.
    private(set) var writes: [Int] = []
    /// Types of everything that is no parameter.
    private(set) var types: [MachineType] = []
    private var parameterCount = 0
    private var free: [MachineType: [Int]] = [:]
    var result: MachineType?

    init() {}

    init(_ function: Function) {
        result = function.result?.machine
        parameterCount = function.parameterCount
        writes = [Int](repeating: 0, count: function.locals.count)
        for parameter in 0..<parameterCount { writes[parameter] = 1 }
        countWrites(function.body)
        indexes = [Int?](repeating: nil, count: function.locals.count)
        for parameter in 0..<parameterCount { indexes[parameter] = parameter }
        for type in [MachineType.i64, .i32, .f64] {
            for local in function.locals.indices.dropFirst(parameterCount)
            where writes[local] > 0 && function.locals[local].type.machine == type {
                indexes[local] = parameterCount + types.count
                types.append(type)
            }
        }
    }

    private mutating func countWrites(_ body: [Instruction]) {
        var body = body
        // What stands behind `else` is followed without a call, since such chains may be long.
        while true {
            var rest: [Instruction] = []
            for (index, instruction) in body.enumerated() {
                switch instruction.kind {
                case .evaluate, .result, .require: break
                case .set(let local, _): writes[local] += 1
                case .count(let local, _, _, let inner), .each(let local, _, let inner):
                    writes[local] += 1
                    countWrites(inner)
                case .conditional(_, let then, let otherwise):
                    countWrites(then)
                    if index == body.count - 1 { rest = otherwise } else { countWrites(otherwise) }
                }
            }
            if rest.isEmpty { return }
            body = rest
        }
    }

    /// A local for the code's own use.
    mutating func acquire(_ type: MachineType) -> Int {
        if let index = free[type]?.popLast() { return index }
        types.append(type)
        return parameterCount + types.count - 1
    }

    mutating func release(_ index: Int, _ type: MachineType) {
        free[type, default: []].append(index)
    }
}
