internal import MeshCore

extension DocumentLimits {
    func check(byteCount: Int) throws(ExecutionError) {
        guard byteCount <= byteCountMax else {
            throw ExecutionError(.tooLarge, "the JSON has \(byteCount) bytes; \(byteCountMax) are read")
        }
    }

    var tooManyValues: ExecutionError {
        ExecutionError(.tooLarge, "the JSON has more than \(valueCountMax) values")
    }

    func tooDeep(_ place: String = "") -> ExecutionError {
        ExecutionError(.tooLarge, "the JSON is nested beyond \(depthMax) levels\(place)")
    }

    var tooManyDigits: ExecutionError {
        ExecutionError(.tooLarge, "a number has more than \(numberLengthMax) digits")
    }
}

extension DocumentValue {
    /// How many values it is, as a reader counts them: itself, and what it holds.
    var valueCount: Int {
        switch self {
        case .null, .boolean, .number, .text: 1
        case .list(let elements): elements.reduce(1) { $0 + $1.valueCount }
        case .object(let members): members.reduce(1) { $0 + $1.value.valueCount }
        }
    }

    /// Holds a value that was put together to what a reader would take, but for its length in bytes.
    ///
    /// - Parameters:
    ///   - depth: How many values are to hold it.
    ///   - room: How many values there may be; as many as it is are taken from it.
    ///   - limits: What the reader takes.
    /// - Throws: ``ExecutionFailure/tooLarge``, or ``ExecutionFailure/badJSON`` for a key that stands twice.
    func check(depth: Int, room: inout Int, limits: DocumentLimits) throws(ExecutionError) {
        room -= 1
        guard room >= 0 else { throw limits.tooManyValues }
        switch self {
        case .null, .boolean, .text: return
        case .number(let number):
            guard number.spelling.count <= limits.numberLengthMax else { throw limits.tooManyDigits }
        case .list(let elements):
            guard depth < limits.depthMax else { throw limits.tooDeep() }
            for element in elements { try element.check(depth: depth + 1, room: &room, limits: limits) }
        case .object(let members):
            guard depth < limits.depthMax else { throw limits.tooDeep() }
            guard members.count < 2 || Set(members.map(\.key)).count == members.count else {
                throw ExecutionError(.badJSON, "a key stands twice in one object")
            }
            for member in members {
                try member.value.check(depth: depth + 1, room: &room, limits: limits)
            }
        }
    }
}
