internal import MeshCore
internal import MeshGraph

extension ExecutionContext {
    /// The value of an expression for what the slots hold.
    func evaluate(_ code: Code) throws -> GraphValue {
        switch code {
        case .constant(let value): return value
        case .slot(let slot):
            let id = slots[slot]
            return id == Self.none ? .null : .entity(id)
        case .local(let local): return local == .currentActor ? currentActor : locals[local] ?? .null
        case .parameter(let name, let isOptional, let range, let type):
            if let value = parameters[name] { return type?.reading(value) ?? value }
            if isOptional { return .null }
            throw Diagnostic(
                .missingParameter, "the parameter $\(name) is not given", at: range,
                hint: "give it, or write $\(name)? where its absence means null")
        case .reference(let text): return try resolve(text).map { .entity($0) } ?? .null
        case .attribute(let base, let access): return try attribute(base, access)
        case .call(let function, let arguments, let range):
            return try call(function, arguments, range)
        case .list(let elements):
            var values: [GraphValue] = []
            for element in elements { values.append(try evaluate(element)) }
            return .list(values)
        case .negate(let operand, let range):
            switch try evaluate(operand) {
            case .null: return .null
            case .int(let value): return .int(0 &- value)
            case .float(let value): return .float(-value)
            case .duration(let value): return .duration(0 &- value)
            case let other: throw Arithmetic.mismatch("-", other, range)
            }
        case .not(let operand):
            switch try evaluate(operand) {
            case .bool(let value): return .bool(!value)
            case .null: return .null
            default: return .null
            }
        case .arithmetic(let symbol, let left, let right, let range):
            return try Arithmetic.apply(symbol, try evaluate(left), try evaluate(right), range)
        case .compare(let symbol, let left, let right, let range):
            let (first, second) = try operands(left, right)
            return .bool(try Comparison.holds(symbol, first, second, range))
        case .and(let left, let right):
            // false and null are both false here: only true goes on.
            guard case .bool(true) = try evaluate(left) else { return .bool(false) }
            return .bool(try isTrue(right))
        case .or(let left, let right):
            let first = try evaluate(left)
            if case .bool(true) = first { return first }
            let second = try evaluate(right)
            if second.isNull { return first }
            return second
        case .coalesce(let left, let right):
            let first = try evaluate(left)
            return first.isNull ? try evaluate(right) : first
        case .isOfType(let operand, let test): return .bool(try fits(try evaluate(operand), test))
        case .isNull(let operand, let isNegated): return .bool(try evaluate(operand).isNull != isNegated)
        case .isIn(let operand, let list, let isNegated):
            let value = try evaluate(operand)
            guard case .list(let values) = try evaluate(list) else { return .bool(isNegated) }
            return .bool(values.contains { Comparison.areEqual(value, $0) } != isNegated)
        case .exists(let pattern, let isNegated):
            return .bool(try Matcher(context: self, plan: pattern.plan).hasMatch() != isNegated)
        case .fold(_, let pattern):
            return .int(Int64(try Matcher(context: self, plan: pattern.plan).count()))
        case .aggregate(let index): return aggregates[index]
        }
    }

    @inline(__always)
    func isTrue(_ code: Code) throws -> Bool {
        if case .bool(true) = try evaluate(code) { true } else { false }
    }

    /// What is compared: an entity beside a text is its id.
    private func operands(_ left: Code, _ right: Code) throws -> (GraphValue, GraphValue) {
        let values = (try evaluate(left), try evaluate(right))
        switch values {
        case (.entity(let id), .string): return (.string(try idText(id)), values.1)
        case (.string, .entity(let id)): return (values.0, .string(try idText(id)))
        default: return values
        }
    }

    var currentActor: GraphValue {
        if let node = authority.sessionActor { return .entity(node) }
        return authority.actor.map { .string($0) } ?? .null
    }

    // MARK: Attributes

    private func attribute(_ base: Code, _ access: AttributeAccess) throws -> GraphValue {
        if case .slot(let slot) = base, case .named(let name) = access {
            let id = slots[slot]
            if id == Self.none { return .null }
            if !id.isVirtual {
                guard try isReadable(name.text, id) else { return .null }
                guard let number = names.id(name), let row = try row(inSlot: slot) else { return .null }
                return try row.value(number, in: view)
            }
        }
        guard case .entity(let id) = try evaluate(base) else { return .null }
        return try attribute(of: id, access)
    }

    /// An attribute of an entity; null where it has none.
    func attribute(of id: LocalID, _ access: AttributeAccess) throws -> GraphValue {
        switch access {
        case .id: return .string(try idText(id))
        case .type: return try typeName(id).map { .string($0) } ?? .null
        case .targets: return .list(try (row(id)?.targets ?? []).map { .entity($0) })
        case .named(let name):
            guard try isReadable(name.text, id) else { return .null }
            if id.isVirtual { return virtualRow(id)?.row[name.text] ?? .null }
            guard let number = names.id(name), let row = try view.row(id) else { return .null }
            return try row.value(number, in: view)
        }
    }

    private func isReadable(_ attribute: String, _ id: LocalID) throws -> Bool {
        try visibility?.isReadable(attribute, of: id, self) ?? true
    }

    // MARK: Types

    func fits(_ value: GraphValue, _ test: TypeTest) throws -> Bool {
        if case .entity(let id) = value { return try fits(id, test) }
        guard let scalar = test.scalar, case .scalar(let own) = Compiler.type(of: value) else { return false }
        return scalar == own
    }

    func fits(_ id: LocalID, _ test: TypeTest) throws -> Bool {
        if id == Self.none { return false }
        if id.isVirtual {
            guard let type = virtualRow(id)?.type else { return false }
            return test.virtual.contains(type)
        }
        guard let row = try view.row(id) else { return false }
        if test.isEverything, !row.isEdge { return true }
        for slot in test.stored where names.id(slot) == row.type { return true }
        return false
    }

    // MARK: Functions

    private func call(_ function: Function, _ arguments: [Code], _ range: SourceRange) throws -> GraphValue {
        if function == .coalesce {
            for argument in arguments {
                let value = try evaluate(argument)
                if !value.isNull { return value }
            }
            return .null
        }
        var values: [GraphValue] = []
        for argument in arguments {
            let value = try evaluate(argument)
            // Functions of null are null; type_of says so.
            if value.isNull, function != .typeOf { return .null }
            values.append(value)
        }
        switch function {
        case .now, .wallTime: return .timestamp(now.milliseconds)
        case .logicalTime: return .int(now.milliseconds)
        case .typeOf:
            if case .entity(let id)? = values.first { return try typeName(id).map { .string($0) } ?? .null }
            return values.first.map { .string(Compiler.type(of: $0).description) } ?? .null
        default: return try function.apply(values, range)
        }
    }
}
