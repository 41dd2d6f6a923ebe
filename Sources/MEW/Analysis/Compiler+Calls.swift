internal import MeshCore
extension Compiler {
    mutating func call(
        _ name: Name, _ arguments: [Expression], _ range: SourceRange, _ scope: Scope
    ) throws(Diagnostic) -> Checked {
        guard let function = Function(rawValue: name.text.lowercased()) else {
            let nearest = NearestName.of(name.text.lowercased(), among: Function.allCases.map(\.rawValue))
            throw Diagnostic(
                .unknownFunction, "there is no function \(name.text)", at: name.range,
                hint: nearest.map { "did you mean \($0)?" })
        }
        let parameters = function.parameters
        guard
            function.isVariadic ? arguments.count >= parameters.count : arguments.count == parameters.count
        else {
            throw Diagnostic(
                .wrongArity,
                "\(function.rawValue) takes \(parameters.count)\(function.isVariadic ? " or more" : "") "
                    + "argument\(parameters.count == 1 ? "" : "s"), not \(arguments.count)", at: range)
        }
        if function.isOfPolicies, !place.contains(.policy) {
            throw Diagnostic(
                .unknownFunction, "\(function.rawValue)() is known in policies only", at: name.range)
        }
        if function.readsClock, place.contains(.deterministic) {
            throw Diagnostic(
                .wallTimeInDeterministic, "a constraint may not depend on the time it is checked at",
                at: name.range, hint: "compare timestamps that the graph holds")
        }
        var codes: [Code] = []
        var types: [StaticType] = []
        for (index, argument) in arguments.enumerated() {
            let (code, type) = try expression(argument, scope)
            try check(type, parameters[Swift.min(index, parameters.count - 1)], function, argument.range)
            codes.append(code)
            types.append(type)
        }
        switch function {
        case .currentActor: return (.local(.currentActor), .unknown)
        case .operation: return (.local(.operation), .scalar(.string))
        case .target: return (.local(.target), .unknown)
        case .targetType: return (.local(.targetType), .scalar(.string))
        case .targetAttribute: return (.local(.targetAttribute), .scalar(.string).optional)
        default: return (.call(function, codes, range), function.result(types))
        }
    }

    private func check(
        _ type: StaticType, _ parameter: Function.Parameter, _ function: Function, _ range: SourceRange
    ) throws(Diagnostic) {
        let fits: Bool
        let wanted: String
        switch parameter {
        case .string: (fits, wanted) = (type.isAll([.string]), "a String")
        case .number: (fits, wanted) = (type.isAll([.int, .float]), "a number")
        case .timestamp: (fits, wanted) = (type.isAll([.timestamp]), "a Timestamp")
        case .duration: (fits, wanted) = (type.isAll([.duration]), "a Duration")
        case .int: (fits, wanted) = (type.isAll([.int]), "an Int")
        case .stringOrList:
            fits = type.members.allSatisfy { if case .list = $0 { true } else { $0.isAll([.string]) } }
            wanted = "a String or a list"
        case .anything: return
        }
        guard fits else {
            throw Diagnostic(
                .typeMismatch, "\(function.rawValue) wants \(wanted) here, and this is \(type)",
                at: range)
        }
    }
}
