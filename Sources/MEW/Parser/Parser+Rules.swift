internal import MeshCore
internal import MeshGraph

/// Constraints, rules and policies.
extension Parser {
    // MARK: - Constraints

    mutating func constraint(_ documentation: String?) throws(Reported) -> ConstraintDeclaration {
        advance()
        let name = try name("a name for the constraint")
        var isSoft = false
        var message: String?
        if takes(.leftBracket) {
            repeat {
                if takesWord("soft") {
                    isSoft = true
                } else if takesWord("hard") {
                    isSoft = false
                } else if takes(.message) {
                    try expect(.colon)
                    message = try string("a message in quotation marks")
                } else {
                    throw expected("soft, hard or message", near: ["soft", "hard", "message"])
                }
            } while takes(.comma)
            try expect(.rightBracket)
        }
        try expect(.colon)
        let pattern = try pattern()
        try expect(.arrow)
        return ConstraintDeclaration(
            name: name, isSoft: isSoft, message: message, pattern: pattern, condition: try expression(),
            documentation: documentation)
    }

    // MARK: - Rules

    mutating func rule(_ documentation: String?) throws(Reported) -> RuleDeclaration {
        advance()
        let name = try name("a name for the rule")
        var priority: Int64 = 0
        var (isManual, inheritsAuthority) = (false, false)
        if takes(.leftBracket) {
            repeat {
                if takesWord("priority") {
                    try expect(.colon)
                    priority = try integer("a whole number")
                } else if takesWord("auto") {
                    isManual = false
                } else if takesWord("manual") {
                    isManual = true
                } else if takesWord("inherit_authority") {
                    inheritsAuthority = true
                } else {
                    let words = ["priority", "auto", "manual", "inherit_authority"]
                    throw expected("priority, auto, manual or inherit_authority", near: words)
                }
            } while takes(.comma)
            try expect(.rightBracket)
        }
        try expect(.colon)
        let pattern = try pattern()
        try expect(.arrow)
        return RuleDeclaration(
            name: name, priority: priority, isManual: isManual, inheritsAuthority: inheritsAuthority,
            pattern: pattern, actions: try ruleActions(), documentation: documentation)
    }

    /// What a rule, or a watch of the server's own, does for each match.
    mutating func ruleActions() throws(Reported) -> [RuleAction] {
        try list { parser throws(Reported) in
            let start = parser.current
            let kind = try parser.ruleAction()
            return RuleAction(kind, parser.range(from: start))
        }
    }

    private mutating func ruleAction() throws(Reported) -> RuleAction.Kind {
        if takes(.spawn) {
            let variable = try name("a variable")
            guard takes(.colon) else { throw expected("':' and a type") }
            let type = try qualifiedName("a type", allowsDots: true)
            return .spawn(variable, type: type, attributes: try optionalAttributes())
        }
        if takes(.kill) { return .kill(try patternTarget()) }
        if takes(.unlink) { return .unlink(try patternTarget()) }
        if takes(.link) {
            let edge = try qualifiedName("an edge")
            try expect(.leftParenthesis)
            let targets = try patternTargets()
            let variable = takes(.as) ? try name("a variable") : nil
            return .link(
                edge: edge, targets: targets, variable: variable, attributes: try optionalAttributes())
        }
        guard takes(.set) else {
            throw expected(
                "SPAWN, KILL, LINK, UNLINK or SET", near: ["SPAWN", "KILL", "LINK", "UNLINK", "SET"])
        }
        let start = current
        let target = try patternTarget()
        if current.isSymbol(.leftBrace) { return .set(target, try attributes()) }
        var assignments = [try assignment()]
        while current.isSymbol(.comma), peek(1).kind == start.kind, peek(2).isSymbol(.dot) {
            advance()
            advance()
            assignments.append(try assignment())
        }
        return .set(target, assignments)
    }

    // MARK: - Policies

    mutating func policy(_ documentation: String?) throws(Reported) -> PolicyDeclaration {
        advance()
        let name = try name("a name for the policy")
        var priority: Int64 = 0
        if takes(.leftBracket) {
            guard takesWord("priority") else { throw expected("priority", near: ["priority"]) }
            try expect(.colon)
            priority = try integer("a whole number")
            try expect(.rightBracket)
        }
        try expect(.colon)
        try expect(.on)
        var operations = [try policyOperation()]
        while takes(.bar) { operations.append(try policyOperation()) }
        let allows = takes(.allow)
        if !allows, !takes(.deny) { throw expected("ALLOW or DENY", near: ["ALLOW", "DENY"]) }
        // Without IF it always holds.
        let condition = takes(.if) ? try expression() : Expression(.literal(.bool(true)), current.range)
        let message = takes(.message) ? try string("a message in quotation marks") : nil
        return PolicyDeclaration(
            name: name, priority: priority, operations: operations, allows: allows, condition: condition,
            message: message, documentation: documentation)
    }

    /// `*`, `META SPAWN`, `SPAWN(t: Task)`, `SET(t: Task, "title")` or `MATCH(t: Task).title`.
    private mutating func policyOperation() throws(Reported) -> PolicyDeclaration.Operation {
        let start = current
        let isMeta = takes(.meta)
        var kind: PolicyDeclaration.OperationKind?
        if !takes(.star) {
            let words = PolicyDeclaration.OperationKind.allCases.map { $0.rawValue.uppercased() }
            guard let word = current.word?.lowercased(),
                let found = PolicyDeclaration.OperationKind(rawValue: word)
            else {
                throw expected(
                    "an operation", near: words, hint: "one of \(words.joined(separator: ", ")), or *")
            }
            kind = found
            advance()
        }
        var target: PatternElement?
        var attribute: Name?
        if takes(.leftParenthesis) {
            if current.word == "_", !peek(1).isSymbol(.colon) {
                advance()
            } else {
                target = try patternElement()
            }
            if takes(.comma), !takesAnything() {
                let place = current.range
                attribute = Name(try string("the name of an attribute in quotation marks, or _"), place)
            }
            try expect(.rightParenthesis)
            if takes(.dot) { attribute = try anyName("the name of an attribute") }
        }
        return PolicyDeclaration.Operation(
            kind: kind, isMeta: isMeta, target: target, attribute: attribute, range: range(from: start))
    }

    /// `_`.
    private mutating func takesAnything() -> Bool {
        guard current.word == "_" else { return false }
        advance()
        return true
    }
}
