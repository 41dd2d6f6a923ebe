public import MeshCore
public import MeshGraph

extension AttributeType {
    /// A value as one of this attribute's type, an Int as Float where that is asked for.
    ///
    /// - Throws: ``Diagnostic`` E2003 for a value of another type, E3002 for null where a value is required.
    public func fit(
        _ value: GraphValue, of owner: String, at range: SourceRange? = nil
    ) throws(Diagnostic) -> GraphValue {
        if let fitted = type.fitting(value) { return fitted }
        if value.isNull {
            guard isRequired else {
                throw Diagnostic(
                    .typeMismatch, "\(owner).\(name) is \(type) and cannot be null", at: range,
                    hint: "only \(type)? may be null")
            }
            throw Diagnostic(.missingRequired, "\(owner).\(name) is required and cannot be null", at: range)
        }
        if case .float(let number) = value, !number.isFinite {
            throw Diagnostic(.typeMismatch, "\(owner).\(name) cannot be \(number)", at: range)
        }
        throw Diagnostic(
            .typeMismatch, "\(owner).\(name) is \(type), and \(value.shortened) is \(value.kindName)",
            at: range)
    }
}

extension GraphSchema {
    /// A value as the attribute stores it, once its type and every check of the attribute have been looked at.
    ///
    /// - Parameters:
    ///   - value: Null is a value where the attribute is optional.
    ///   - attribute: What it is for.
    ///   - owner: The type that the messages name.
    ///   - range: Where the value was written.
    /// - Returns: The value, an Int as Float where the attribute is one.
    /// - Throws: ``Diagnostic``: E2003 for another type, E3002 for null where a value is required, E3004 for a
    ///   value that a modifier refuses.
    public func validate(
        _ value: GraphValue, for attribute: AttributeType, of owner: String, at range: SourceRange? = nil
    ) throws(Diagnostic) -> GraphValue {
        let fitted = try attribute.fit(value, of: owner, at: range)
        guard GraphLimits.isAttribute(fitted) else {
            throw Diagnostic(
                .valueRefused,
                "\(owner).\(attribute.name) cannot be \(value.shortened): it is too long to be kept",
                at: range,
                hint:
                    "strings have at most \(GraphLimits.stringByteCountMax) bytes, lists \(GraphLimits.listCountMax) elements"
            )
        }
        try check(fitted, of: attribute, in: owner, at: range)
        return fitted
    }

    /// Looks at every check of an attribute; null passes, a list passes when each of its elements does.
    func check(
        _ value: GraphValue, of attribute: AttributeType, in owner: String, at range: SourceRange?
    ) throws(Diagnostic) {
        if attribute.checks.isEmpty || value.isNull { return }
        if case .list(let elements) = value {
            try checkWork(elements, of: attribute, in: owner, at: range)
            for element in elements { try check(element, of: attribute, in: owner, at: range) }
            return
        }
        for check in attribute.checks {
            guard let rule = refusal(of: value, by: check) else { continue }
            throw Diagnostic(
                .valueRefused, "\(owner).\(attribute.name) cannot be \(value.shortened): \(rule)", at: range)
        }
    }

    /// Refuses a list that a pattern would be busy with for long: the pattern and the list may be from different people.
    private func checkWork(
        _ elements: [GraphValue], of attribute: AttributeType, in owner: String, at range: SourceRange?
    ) throws(Diagnostic) {
        let hasPattern = attribute.checks.contains { if case .matches = $0 { true } else { false } }
        guard hasPattern else { return }
        var left = 4 * TextPattern.textLengthMax
        for case .string(let text) in elements {
            left -= text.utf8.count
            if left < 0 {
                throw Diagnostic(
                    .valueRefused,
                    "\(owner).\(attribute.name) cannot be that long: no more than \(4 * TextPattern.textLengthMax) bytes of a list are matched with a pattern",
                    at: range)
            }
        }
    }

    /// Why a check refuses a value; `nil` when it does not.
    private func refusal(of value: GraphValue, by check: ValueCheck) -> String? {
        switch check {
        case .atLeast(let limit):
            return holds(value, limit) { $0 >= 0 } ? nil : "it must be at least \(limit.literal)"
        case .atMost(let limit):
            return holds(value, limit) { $0 <= 0 } ? nil : "it must be at most \(limit.literal)"
        case .above(let limit):
            return holds(value, limit) { $0 > 0 } ? nil : "it must be above \(limit.literal)"
        case .below(let limit):
            return holds(value, limit) { $0 < 0 } ? nil : "it must be below \(limit.literal)"
        case .oneOf(let values):
            if values.contains(value) { return nil }
            let shown = values.prefix(8).map(\.shortened).joined(separator: ", ")
            return "it must be one of \(shown)" + (values.count > 8 ? " …" : "")
        case .format(let name):
            guard case .string(let text) = value, ValueFormat(rawValue: name)?.describes(text) == true else {
                return "it must be of the format \(name)"
            }
            return nil
        case .length(let low, let high):
            guard case .string(let text) = value else { return "it must be a string" }
            let count = Int64(text.count)
            return count >= low && count <= high
                ? nil : "it must have \(low) to \(high) characters, and has \(count)"
        case .matches(let pattern):
            guard case .string(let text) = value else { return "it must be a string" }
            // Counting stops where the answer is known.
            if text.unicodeScalars.dropFirst(TextPattern.textLengthMax).first != nil {
                return "no more than \(TextPattern.textLengthMax) characters are matched with a pattern"
            }
            return patterns[pattern]?.matches(text) == true
                ? nil : "it must match \(GraphValue.string(pattern).shortened)"
        }
    }

    private func holds(_ value: GraphValue, _ limit: GraphValue, _ test: (Int) -> Bool) -> Bool {
        ValueCheck.order(value, limit).map(test) ?? false
    }
}
