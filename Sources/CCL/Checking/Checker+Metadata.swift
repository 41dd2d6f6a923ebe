internal import MeshCore

/// What `resources { … }` and `job { … }` mean beyond being declared.
extension Checker {
    private static let policies = ["allow-all", "permit-list", "quota", "rate-limit"]
    private static let jobNames = [
        "description", "input_data", "node_preferences", "output_location", "priority", "requirements",
        "wasm_cid",
    ]
    private static let requirementNames = [
        "features", "max_execution_time", "min_cpu_cores", "min_memory", "min_storage",
    ]
    private static let preferenceNames = ["location", "max_bid", "reputation_min"]

    mutating func checkLimitsAndJob() {
        var seen: Set<String> = []
        for statement in tree.statements {
            guard let (name, block) = statement.namedBlock, name.text == "resources" || name.text == "job"
            else {
                continue
            }
            if !seen.insert(name.text).inserted {
                report(
                    .duplicateProperty, "`\(name.text)` is declared a second time", at: name.range,
                    hint: "put both into one block")
            }
            if name.text == "resources" { checkResources(block) } else { checkJob(block) }
        }
        limits = resources.declared.map { ResourceLimit(resource: $0.key, amount: $0.value) }
            .sorted { $0.resource < $1.resource }
    }

    /// The resource that a word of `resources` stands for.
    private static func resource(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix("_quota") ? String(lower.dropLast("_quota".count)) : lower
    }

    // MARK: Resources

    private mutating func checkResources(_ block: Block) {
        var policyBlock: Block?
        /// By what word each limit was written.
        var places: [String: String] = [:]
        for statement in block.statements {
            if let (name, inner) = statement.namedBlock {
                if name.text == "policies" {
                    policyBlock = inner
                } else {
                    unknownProperty(name, of: "resources", known: ["policies", "scope"])
                }
                continue
            }
            switch statement.kind {
            case .property(let name, _, _) where name.text == "scope": continue
            case .property(let name, _, let value):
                guard let amount = integer(value) else {
                    if nearest(name.text, among: ["policies", "scope"]) != nil {
                        unknownProperty(name, of: "resources", known: ["policies", "scope"])
                    } else {
                        report(
                            .invalidDeclaration, "The limit of `\(name.text)` is no whole number",
                            at: value.range,
                            hint: "write how much may be used, such as `\(name.text): 1000`")
                    }
                    continue
                }
                let resource = Self.resource(name.text)
                if amount < 0 || amount > LanguageFunction.amountMax {
                    report(
                        .invalidDeclaration,
                        "A limit lies from 0 to \(LanguageFunction.amountMax.grouped)", at: value.range)
                }
                if resource.isEmpty || resource.utf8.count > RunEffectLimits.resourceByteCountMax {
                    report(
                        .invalidDeclaration,
                        "The name of a resource has from 1 to \(RunEffectLimits.resourceByteCountMax) bytes",
                        at: name.range)
                    continue
                }
                if let earlier = places.updateValue(name.text, forKey: resource), earlier != name.text {
                    report(
                        .duplicateProperty, "The limit of `\(resource)` is declared a second time",
                        at: name.range,
                        hint: "`\(resource)` and `\(resource)_quota` are one limit; remove one of the two")
                }
                resources.declare(resource, limit: amount)
            case .flag(let name): unknownProperty(name, of: "resources", known: ["policies", "scope"])
            default: continue
            }
        }
        if let policyBlock { checkPolicies(policyBlock) }
    }

    private mutating func checkPolicies(_ block: Block) {
        for statement in block.statements {
            guard case .property(let name, _, let value) = statement.kind else { continue }
            guard let policy = word(value), Self.policies.contains(policy) else {
                let written = word(value) ?? value.sourceText
                report(
                    .invalidDeclaration, "`\(written)` is no policy", at: value.range,
                    hint: suggestion(written, among: Self.policies)
                        ?? "write \"quota\", \"rate-limit\", \"permit-list\" or \"allow-all\"")
                continue
            }
            let resource = Self.resource(name.text)
            if policy == "allow-all" {
                resources.declare(resource, limit: nil)
            } else if resources.declared[resource] == nil {
                report(
                    .unknownProperty, "`\(resource)` has a policy and no limit", at: name.range,
                    hint: suggestion(resource, among: resources.declared.keys.sorted())
                        ?? "declare `\(resource): 1000;` in `resources`")
            }
        }
    }

    // MARK: Jobs

    private mutating func checkJob(_ block: Block) {
        for statement in block.statements {
            if let (name, inner) = statement.namedBlock {
                switch name.text {
                case "requirements": checkRequirements(inner)
                case "node_preferences": checkPreferences(inner)
                case "input_data", "output_location": continue
                default: unknownProperty(name, of: "job", known: Self.jobNames)
                }
                continue
            }
            switch statement.kind {
            case .property(let name, _, let value):
                guard Self.jobNames.contains(name.text) else {
                    unknownProperty(name, of: "job", known: Self.jobNames)
                    continue
                }
                if name.text == "priority", let priority = word(value) {
                    if let (what, hint) = LanguageFunction.fault(inPriority: priority) {
                        report(.invalidDeclaration, what, at: value.range, hint: hint)
                    }
                } else if name.text == "wasm_cid", case .string(let text) = value.kind {
                    if let (what, hint) = LanguageFunction.fault(inCID: text) {
                        report(.invalidDeclaration, what, at: value.range, hint: hint)
                    }
                }
            case .flag(let name): unknownProperty(name, of: "job", known: Self.jobNames)
            default: continue
            }
        }
    }

    private mutating func checkRequirements(_ block: Block) {
        for statement in block.statements {
            guard case .property(let name, _, let value) = statement.kind else {
                if let name = statement.head {
                    unknownProperty(name, of: "requirements", known: Self.requirementNames)
                }
                continue
            }
            switch name.text {
            case "min_memory": requirements.memoryMiB = amount(value, of: name)
            case "min_cpu_cores": requirements.cpu = amount(value, of: name)
            case "max_execution_time":
                if case .duration(let milliseconds)? = constant(value) {
                    // A fraction of a second counts as a whole one.
                    requirements.maxSeconds =
                        milliseconds / 1_000 + (milliseconds % 1_000 > 0 ? 1 : 0)
                    if milliseconds < 0 { invalidAmount(value, of: name) }
                } else {
                    requirements.maxSeconds = amount(value, of: name)
                }
            case "min_storage": _ = amount(value, of: name)
            case "features": continue
            default: unknownProperty(name, of: "requirements", known: Self.requirementNames)
            }
        }
    }

    private mutating func checkPreferences(_ block: Block) {
        for statement in block.statements {
            guard case .property(let name, _, let value) = statement.kind else {
                if let name = statement.head {
                    unknownProperty(name, of: "node_preferences", known: Self.preferenceNames)
                }
                continue
            }
            switch name.text {
            case "reputation_min":
                guard let reputation = amount(value, of: name) else { continue }
                if reputation > 100 {
                    report(.invalidDeclaration, "A reputation lies from 0 to 100", at: value.range)
                }
                requirements.minReputation = reputation
            case "max_bid": requirements.maxBid = amount(value, of: name)
            case "location":
                guard let location = word(value) else {
                    report(
                        .invalidDeclaration, "A location is text", at: value.range,
                        hint: "write the name of a region in quotes")
                    continue
                }
                requirements.location = location
            default: unknownProperty(name, of: "node_preferences", known: Self.preferenceNames)
            }
        }
    }

    // MARK: Values

    private mutating func unknownProperty(_ name: Name, of section: String, known: [String]) {
        report(
            .unknownProperty, "`\(section)` knows no `\(name.text)`: it is declared and means nothing more",
            at: name.range, hint: suggestion(name.text, among: known))
    }

    private mutating func constant(_ value: Expression) -> Constant? { declaredTerm(value)?.constant }

    private mutating func integer(_ value: Expression) -> Int64? {
        if case .integer(let number)? = constant(value) { number } else { nil }
    }

    private mutating func word(_ value: Expression) -> String? {
        if case .string(let text)? = constant(value) { text } else { nil }
    }

    /// A number from 0 up; of a decimal, the next whole number.
    private mutating func amount(_ value: Expression, of name: Name) -> Int64? {
        switch constant(value) {
        case .integer(let number)? where number >= 0 && number <= LanguageFunction.amountMax: return number
        case .decimal(let number)? where number >= 0 && number <= Double(LanguageFunction.amountMax):
            return Int64(number.rounded(.up))
        default:
            invalidAmount(value, of: name)
            return nil
        }
    }

    private mutating func invalidAmount(_ value: Expression, of name: Name) {
        report(
            .invalidDeclaration, "`\(name.text)` is a number from 0 to \(LanguageFunction.amountMax.grouped)",
            at: value.range)
    }
}

extension Statement {
    /// `name { … }` or `name: { … }`.
    var namedBlock: (Name, Block)? {
        switch kind {
        case .section(let name, _, let block): return (name, block)
        case .property(let name, _, let value):
            if case .object(let block) = value.kind { return (name, block) }
            return nil
        default: return nil
        }
    }

    /// The word that it begins with, where it is one of the writer's own.
    var head: Name? {
        switch kind {
        case .flag(let name), .property(let name, _, _), .section(let name, _, _): name
        case .call(let call): call.name
        default: nil
        }
    }
}
