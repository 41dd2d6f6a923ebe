internal import IPLD

/// What a contract declares and does not run: the custom section `ccl`, one map of DAG-CBOR.
enum DeclarationSection {
    static let name = "ccl"

    /// The map; `nil` when there is nothing to say.
    ///
    /// - Precondition: `isReadable(program)`.
    static func content(_ program: Program) -> [UInt8]? {
        let requirements = program.requirements
        guard
            !program.limits.isEmpty || !program.declarations.isEmpty || requirements != JobRequirements()
        else { return nil }
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            if !program.limits.isEmpty {
                map.field("limits") { $0.array(program.limits) { $0.limit($1) } }
            }
            map.field("version") { $0.unsigned(1) }
            if !program.declarations.isEmpty {
                map.field("declarations") { $0.array(program.declarations) { $0.declaration($1) } }
            }
            if requirements != JobRequirements() {
                map.field("requirements") { $0.requirements(requirements) }
            }
        }
        return encoder.bytes
    }

    /// Whether the map nests no deeper than a decoder follows.
    static func isReadable(_ program: Program) -> Bool {
        // The map itself, and the list.
        fits(program.declarations, depth: 2)
    }

    private static func fits(_ declarations: [Declaration], depth: Int) -> Bool {
        guard depth < DAGCBORDecoder.depthMax || declarations.isEmpty else { return false }
        for declaration in declarations {
            guard fits(declaration.members, depth: depth + 2), fits(declaration.values, depth: depth + 2)
            else {
                return false
            }
        }
        return true
    }

    /// `depth`: Of the list that the values stand in.
    private static func fits(_ values: [DeclaredValue], depth: Int) -> Bool {
        guard depth <= DAGCBORDecoder.depthMax || values.isEmpty else { return false }
        for value in values {
            switch value {
            case .string, .integer, .boolean: continue
            case .decimal, .duration, .text: if depth + 1 > DAGCBORDecoder.depthMax { return false }
            case .list(let values):
                if depth + 1 > DAGCBORDecoder.depthMax || !fits(values, depth: depth + 1) { return false }
            case .object(let members):
                if depth + 2 > DAGCBORDecoder.depthMax || !fits(members, depth: depth + 2) { return false }
            }
        }
        return true
    }
}

extension DAGCBOREncoder {
    fileprivate mutating func limit(_ limit: ResourceLimit) {
        map { map in
            map.field("amount", ifPresent: limit.amount) { $0.integer($1) }
            map.field("resource") { $0.text(limit.resource) }
        }
    }

    fileprivate mutating func requirements(_ requirements: JobRequirements) {
        map { map in
            map.field("cpu", ifPresent: requirements.cpu) { $0.integer($1) }
            map.field("max_bid", ifPresent: requirements.maxBid) { $0.integer($1) }
            map.field("location", ifPresent: requirements.location) { $0.text($1) }
            map.field("memory_mib", ifPresent: requirements.memoryMiB) { $0.integer($1) }
            map.field("max_seconds", ifPresent: requirements.maxSeconds) { $0.integer($1) }
            map.field("min_reputation", ifPresent: requirements.minReputation) { $0.integer($1) }
        }
    }

    fileprivate mutating func declaration(_ declaration: Declaration) {
        map { map in
            map.field("name") { $0.text(declaration.name) }
            if !declaration.values.isEmpty {
                map.field("values") { $0.array(declaration.values) { $0.declared($1) } }
            }
            if !declaration.members.isEmpty {
                map.field("members") { $0.array(declaration.members) { $0.declaration($1) } }
            }
        }
    }

    fileprivate mutating func declared(_ value: DeclaredValue) {
        switch value {
        case .string(let text): self.text(text)
        case .integer(let value): integer(value)
        case .decimal(let value):
            // The format has no infinity and nothing that is no number.
            if value.isFinite { double(value) } else { declared(.text(value.description)) }
        case .boolean(let value): bool(value)
        case .duration(let value): map { $0.field("ms") { $0.integer(value) } }
        case .list(let values): array(values) { $0.declared($1) }
        case .object(let members):
            map { map in map.field("members") { $0.array(members) { $0.declaration($1) } } }
        case .text(let text): map { map in map.field("text") { $0.text(text) } }
        }
    }
}
