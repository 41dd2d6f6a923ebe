public import MeshCore
public import MeshGraph

/// A value that a SPAWN, a LINK or a SET gives to an attribute.
public struct AssignedValue: Sendable {
    public let name: Name
    public let value: GraphValue
    /// Where the value was written.
    public let range: SourceRange?
    /// Whether it came from outside as text or a number, which may stand for a value of another type: a
    /// timestamp, a hash.
    ///
    /// See ``StaticType/reading(_:)``.
    public let isParameter: Bool

    public init(name: Name, value: GraphValue, range: SourceRange? = nil, isParameter: Bool = false) {
        self.name = name
        self.value = value
        self.range = range
        self.isParameter = isParameter
    }

    /// The value as one of the attribute's type, where it came from outside.
    func value(for attribute: AttributeType) -> GraphValue {
        isParameter ? attribute.type.reading(value) : value
    }
}

/// The attributes that a new entity gets, or why it cannot be made.
public struct FilledAttributes: Sendable {
    /// In order of their declarations, without nulls; meaningless when there are errors.
    public internal(set) var attributes: [GraphAttribute] = []
    public internal(set) var errors: [Diagnostic] = []
    public internal(set) var warnings: [Diagnostic] = []
}

extension GraphSchema {
    /// The attributes of a new entity: what was assigned, checked, and the defaults of the rest.
    ///
    /// - Parameters:
    ///   - assigned: Values by name, in any order.
    ///   - declared: The attributes of the entity's type.
    ///   - owner: The type's name.
    ///   - now: Milliseconds since 1970, for `now()` in defaults.
    ///   - range: Where the statement stands: what is missing is missing there.
    /// - Returns: The attributes, or every fault.
    public func fill(
        _ assigned: [AssignedValue], into declared: [AttributeType], of owner: String, now: Int64,
        at range: SourceRange? = nil
    ) -> FilledAttributes {
        var result = FilledAttributes()
        result.errors = misnamed(assigned, declared, owner)
        for attribute in declared {
            do throws(Diagnostic) {
                if let given = assigned.first(where: { $0.name.text == attribute.name }) {
                    let value = try validate(
                        given.value(for: attribute), for: attribute, of: owner, at: given.range)
                    if !value.isNull {
                        result.attributes.append(GraphAttribute(name: attribute.name, value: value))
                    }
                } else if let expression = attribute.defaultValue {
                    let value = try ConstantExpression.value(of: expression, now: now)
                    let checked = try validate(value, for: attribute, of: owner, at: range)
                    if !checked.isNull {
                        result.attributes.append(GraphAttribute(name: attribute.name, value: checked))
                    }
                } else if attribute.isRequired {
                    throw Diagnostic(
                        .missingRequired, "\(owner) wants \(attribute.name), which is required", at: range,
                        hint: "write \(attribute.name) = … (\(attribute.type))")
                } else if !attribute.type.isOptional {
                    result.warnings.append(
                        Diagnostic(
                            .unusedNullability,
                            "\(owner).\(attribute.name) is left out, is not optional and has no default",
                            at: range, severity: .warning))
                }
            } catch {
                result.errors.append(error)
            }
        }
        return result
    }

    /// What a SET writes into an attribute; null clears it.
    ///
    /// - Throws: ``Diagnostic``: E2002 for an attribute that the type does not have, E3005 for one that is
    ///   read-only, and what ``validate(_:for:of:at:)`` throws.
    public func fit(
        _ assigned: AssignedValue, into declared: [AttributeType], of owner: String
    ) throws(Diagnostic) -> GraphAttribute {
        guard let attribute = declared.first(where: { $0.name == assigned.name.text }) else {
            throw unknownAttribute(assigned.name, declared, owner)
        }
        if attribute.isReadonly {
            throw Diagnostic(
                .readonlyAttribute,
                "\(owner).\(attribute.name) is read-only: only SPAWN and LINK give it a value",
                at: assigned.name.range)
        }
        let value = try validate(
            assigned.value(for: attribute), for: attribute, of: owner, at: assigned.range)
        return GraphAttribute(name: attribute.name, value: value)
    }

    /// The node type that a SPAWN names.
    ///
    /// - Throws: ``Diagnostic``: E2001 for an unknown type, E2009 for an abstract one, E2015 for the system's.
    public func spawnable(_ name: Name) throws(Diagnostic) -> NodeType {
        guard let node = nodes[name.text] else {
            let names = nodes.filter { !$0.value.isSystem }.map(\.key).sorted()
            throw Diagnostic(
                .unknownType, "there is no type \(name)", at: name.range,
                hint: NearestName.of(name.text, among: names).map { "did you mean \($0)?" })
        }
        if node.isSystem {
            throw Diagnostic(
                .systemType, "\(name) is the system's: it is read and not written", at: name.range)
        }
        if node.isAbstract {
            let shown = node.concreteTypes.prefix(5).joined(separator: ", ")
            throw Diagnostic(
                .abstractType, "\(name) is abstract: nothing is \(name) alone", at: name.range,
                hint: shown.isEmpty
                    ? nil : "below it are \(shown)" + (node.concreteTypes.count > 5 ? " …" : ""))
        }
        return node
    }

    /// The diagnostic for an attribute that a type does not have.
    public func unknownAttribute(_ name: Name, _ declared: [AttributeType], _ owner: String) -> Diagnostic {
        Diagnostic(
            .unknownAttribute, "\(owner) has no attribute \(name)", at: name.range,
            hint: NearestName.of(name.text, among: declared.map(\.name)).map { "did you mean \($0)?" })
    }

    private func misnamed(
        _ assigned: [AssignedValue], _ declared: [AttributeType], _ owner: String
    ) -> [Diagnostic] {
        var faults: [Diagnostic] = []
        var seen: Set<String> = []
        for given in assigned {
            // Nobody reads more, and each look for the nearest name takes a while.
            if faults.count >= 16 { break }
            if !declared.contains(where: { $0.name == given.name.text }) {
                faults.append(unknownAttribute(given.name, declared, owner))
            } else if !seen.insert(given.name.text).inserted {
                faults.append(
                    Diagnostic(
                        .duplicateName, "\(owner).\(given.name) is given two values", at: given.name.range))
            }
        }
        return faults
    }
}
