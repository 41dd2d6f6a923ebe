internal import CCL
internal import MeshCore

/// A program as compact text, for golden files.
enum CheckingDump {
    static func text(_ program: Program) -> String {
        var text = ""
        for limit in program.limits {
            text += "limit \(limit.resource) \(limit.amount.map(String.init) ?? "none")\n"
        }
        if program.requirements != JobRequirements() { text += "requirements \(requirements(program))\n" }
        for declaration in program.declarations { append(declaration, 0, to: &text) }
        for (index, function) in program.functions.enumerated() {
            let role =
                index == program.main
                ? " [run]" : program.handlers.contains { $0.function == index } ? " [handler]" : ""
            let locals = function.locals.enumerated().map { "\($0):\($1.name):\($1.type.rawValue)" }
                .joined(separator: " ")
            text += "fn \(index) \(function.name)/\(function.parameterCount)"
            text += "\(function.result.map { " -> \($0.rawValue)" } ?? "")\(role) {\(locals)}\n"
            append(function.body, 1, to: &text)
        }
        return text
    }

    private static func requirements(_ program: Program) -> String {
        let asked = program.requirements
        var parts: [String] = []
        if let value = asked.memoryMiB { parts.append("memory_mib=\(value)") }
        if let value = asked.cpu { parts.append("cpu=\(value)") }
        if let value = asked.maxSeconds { parts.append("max_seconds=\(value)") }
        if let value = asked.minReputation { parts.append("min_reputation=\(value)") }
        if let value = asked.location { parts.append("location=\(value)") }
        if let value = asked.maxBid { parts.append("max_bid=\(value)") }
        return parts.joined(separator: " ")
    }

    private static func append(_ declaration: Declaration, _ depth: Int, to text: inout String) {
        text += String(repeating: "  ", count: depth) + "- \(declaration.name)"
        for declared in declaration.values { text += " " + value(declared) }
        text += "\n"
        for member in declaration.members { append(member, depth + 1, to: &text) }
    }

    private static func value(_ value: DeclaredValue) -> String {
        switch value {
        case .string(let text): "\"\(text)\""
        case .integer(let number): String(number)
        case .decimal(let number): "\(number)"
        case .boolean(let flag): String(flag)
        case .duration(let milliseconds): "\(milliseconds)ms"
        case .list(let items): "[" + items.map { Self.value($0) }.joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.map { member in
                    member.name + ":" + member.values.map { Self.value($0) }.joined(separator: " ")
                        + (member.members.isEmpty ? "" : "…")
                }.joined(separator: ", ") + "}"
        case .text(let text): "<\(text)>"
        }
    }

    private static func append(_ body: [Instruction], _ depth: Int, to text: inout String) {
        for instruction in body {
            text += String(repeating: "  ", count: depth) + "\(instruction.position.line): "
            switch instruction.kind {
            case .evaluate(let value): text += "do \(self.value(value))\n"
            case .set(let local, let value): text += "$\(local) = \(self.value(value))\n"
            case .conditional(let value, let then, let otherwise):
                text += "if \(self.value(value))\n"
                append(then, depth + 1, to: &text)
                if !otherwise.isEmpty {
                    text += String(repeating: "  ", count: depth) + "else\n"
                    append(otherwise, depth + 1, to: &text)
                }
            case .count(let local, let from, let to, let body):
                text += "count $\(local) \(value(from))..<\(value(to))\n"
                append(body, depth + 1, to: &text)
            case .each(let local, let values, let body):
                text += "each $\(local) [\(values.map { value($0) }.joined(separator: ", "))]\n"
                append(body, depth + 1, to: &text)
            case .result(let value): text += "return \(value.map { self.value($0) } ?? "")\n"
            case .require(let value, let message):
                text += "require \(self.value(value))\(message.map { " else \(self.value($0))" } ?? "")\n"
            }
        }
    }

    private static func value(_ value: Value) -> String {
        switch value.kind {
        case .constant(.string(let text)): "\"\(text)\""
        case .constant(.integer(let number)): String(number)
        case .constant(.decimal(let number)): "\(number)"
        case .constant(.boolean(let flag)): String(flag)
        case .constant(.duration(let milliseconds)): "\(milliseconds)ms"
        case .local(let local): "$\(local)"
        case .arithmetic(let sign, let a, let b), .comparison(let sign, let a, let b):
            "(\(self.value(a)) \(sign.rawValue) \(self.value(b)))"
        case .and(let a, let b): "(\(self.value(a)) && \(self.value(b)))"
        case .or(let a, let b): "(\(self.value(a)) || \(self.value(b)))"
        case .not(let a): "!\(self.value(a))"
        case .negated(let a): "-\(self.value(a))"
        case .joined(let a, let b): "(\(self.value(a)) ++ \(self.value(b)))"
        case .text(let a): "text(\(self.value(a)))"
        case .decimal(let a): "decimal(\(self.value(a)))"
        case .rounded(let rounding, let a): "\(rounding.rawValue)(\(self.value(a)))"
        case .minimum(let a, let b): "min(\(self.value(a)), \(self.value(b)))"
        case .maximum(let a, let b): "max(\(self.value(a)), \(self.value(b)))"
        case .length(let a): "length(\(self.value(a)))"
        case .call(let function, let arguments):
            "fn\(function)(\(arguments.map { self.value($0) }.joined(separator: ", ")))"
        case .host(let function, let arguments):
            "\(function.rawValue)(\(arguments.map { self.value($0) }.joined(separator: ", ")))"
        }
    }
}
