internal import MeshCore
internal import MeshGraph

extension SchemaBuilder {
    /// What every entity has of its own accord.
    private static let implicitNames: Set<String> = ["id"]

    /// Judges the attributes that a node or an edge declares.
    ///
    /// - Returns: `nil` when one has a fault.
    mutating func judge(
        _ attributes: [AttributeDeclaration], of owner: String, source: Int
    ) -> [AttributeType]? {
        var result: [AttributeType] = []
        var names: Set<String> = []
        var isWhole = true
        for attribute in attributes {
            if !names.insert(attribute.name.text).inserted {
                report(
                    Diagnostic(
                        .duplicateName, "\(owner) declares \(attribute.name) twice", at: attribute.name.range),
                    from: source)
                isWhole = false
                continue
            }
            if let judged = judge(attribute, of: owner, source: source) {
                result.append(judged)
            } else {
                isWhole = false
            }
        }
        return isWhole ? result : nil
    }

    private mutating func judge(
        _ attribute: AttributeDeclaration, of owner: String, source: Int
    ) -> AttributeType? {
        let name = attribute.name
        let path = "\(owner).\(name)"
        if let fault = nameFault(name, of: owner) {
            report(fault, from: source)
            return nil
        }
        guard let resolved = resolve(attribute.type, source: source) else { return nil }
        guard holdsValues(resolved.type, path, attribute.type.range, source) else { return nil }
        guard
            let modifiers = judge(
                attribute.modifiers, of: path, on: resolved.type, inherited: resolved.checks, isAlias: false,
                source: source)
        else { return nil }
        let judged = AttributeType(
            name: name.text, type: resolved.type, isRequired: modifiers.isRequired,
            isUnique: modifiers.isUnique, isReadonly: modifiers.isReadonly,
            isIndexed: modifiers.isIndexed || modifiers.isUnique, checks: modifiers.checks,
            defaultValue: attribute.defaultValue, declaredIn: owner, documentation: attribute.documentation)
        if let expression = attribute.defaultValue {
            do throws(Diagnostic) { try judge(expression, as: judged, of: owner) } catch {
                report(error, from: source)
                return nil
            }
        } else if !modifiers.isRequired, !resolved.type.isOptional {
            report(
                Diagnostic(
                    .unusedNullability,
                    "\(path) is \(resolved.type), without a default, and may be left out", at: name.range,
                    hint: "make it \(resolved.type)?, or [required], or give it a default", severity: .warning
                ),
                from: source)
        }
        return judged
    }

    private func nameFault(_ name: Name, of owner: String) -> Diagnostic? {
        if name.text.hasPrefix("_") {
            return Diagnostic(
                .invalidDeclaration, "\(owner).\(name) begins with _, which is the system's", at: name.range,
                hint: "name it without the _")
        }
        if Self.implicitNames.contains(name.text) {
            return Diagnostic(
                .invalidDeclaration, "every entity has \(name) already", at: name.range,
                hint: "name it \(owner.lowercased())_\(name)")
        }
        if !GraphLimits.isName(name.text) || name.text.contains(":") {
            return Diagnostic(
                .invalidDeclaration, "\(owner) cannot have an attribute \(name.text.prefix(40))",
                at: name.range)
        }
        return nil
    }

    /// Whether an attribute can have the type: scalars, lists of them, unions.
    private mutating func holdsValues(
        _ type: StaticType, _ path: String, _ range: SourceRange, _ source: Int
    ) -> Bool {
        for member in type.members {
            switch member {
            case .scalar, .list, .null: continue
            default:
                report(
                    Diagnostic(
                        .invalidDeclaration, "\(path) would be \(member): an attribute holds a value",
                        at: range, hint: "declare an edge to \(member)"), from: source)
                return false
            }
        }
        return true
    }

    /// Judges a default against the attribute that it is for.
    private func judge(
        _ expression: Expression, as attribute: AttributeType, of owner: String
    ) throws(Diagnostic) {
        // What now() gives is not known yet; its type is.
        let value = try ConstantExpression.value(of: expression, now: 0)
        let fitted = try attribute.fit(value, of: owner, at: expression.range)
        if !ConstantExpression.asksTime(expression) {
            try schema.check(fitted, of: attribute, in: owner, at: expression.range)
        }
    }
}
