internal import MeshCore

extension Explainer {
    /// What is used in all, beside what is declared.
    mutating func explainUse(_ spending: Spending) {
        let limits = Dictionary(program.limits.map { ($0.resource, $0.amount) }, uniquingKeysWith: { $1 })
        for use in spending.uses {
            let declared: String =
                switch limits[use.resource] {
                case .some(.some(let amount)): "declared \(amount.grouped)"
                case .some(.none): "declared without a limit"
                case .none: "not declared"
                }
            let resource = use.resource.isEmpty ? quoted("") : use.resource
            if use.atMost == 0 {
                let needed = use.needed.map(\.grouped) ?? "as much as the run decides of"
                line("Must be allowed \(needed) \(resource); \(declared).")
                continue
            }
            switch use.atMost {
            case use.atLeast: line("Exactly \(use.atLeast.grouped) \(resource) in all; \(declared).")
            case let atMost?:
                let least = use.atLeast > 0 ? ", at least \(use.atLeast.grouped)" : ""
                line("At most \(atMost.grouped) \(resource) in all\(least); \(declared).")
            case nil where use.atLeast == 0:
                line("How much \(resource) it uses in all, the run decides; \(declared).")
            case nil:
                line(
                    "At least \(use.atLeast.grouped) \(resource) in all, and how much at most the run decides; \(declared)."
                )
            }
        }
        if spending.hasUnknownResource { line("Uses resources that the run names.") }
        let used = Set(spending.uses.map(\.resource))
        for limit in program.limits where !used.contains(limit.resource) {
            let amount =
                limit.amount.map { "up to \($0.grouped) \(limit.resource)" }
                ?? "any amount of \(limit.resource)"
            line("Declares \(amount) and uses none when it runs.")
        }
        switch spending.submissionsAtMost {
        case 0: break
        case spending.submissionsAtLeast:
            line(
                "Submits \(spending.submissionsAtLeast.grouped) \(spending.submissionsAtLeast == 1 ? "job" : "jobs") in all."
            )
        case let atMost?:
            line("Submits from \(spending.submissionsAtLeast.grouped) to \(atMost.grouped) jobs in all.")
        case nil:
            line(
                "Submits at least \(spending.submissionsAtLeast.grouped) jobs, and how many the run decides.")
        }
    }

    mutating func explainRequirements() {
        let asked = program.requirements
        var parts: [String] = []
        if let memory = asked.memoryMiB { parts.append("\(memory.grouped) MiB of memory") }
        if let cpu = asked.cpu { parts.append("\(cpu.grouped) \(cpu == 1 ? "processor" : "processors")") }
        if let seconds = asked.maxSeconds { parts.append("at most \(seconds.grouped) seconds") }
        if let reputation = asked.minReputation { parts.append("a reputation of at least \(reputation)") }
        if let location = asked.location { parts.append("the location \(quoted(location))") }
        if let bid = asked.maxBid { parts.append("a bid of at most \(bid.grouped)") }
        guard !parts.isEmpty else { return }
        line("Its jobs ask for \(parts.joined(separator: ", ")).")
    }

    mutating func explainDeclarations() {
        let names = program.declarations.map(\.name)
        guard !names.isEmpty else { return }
        let shown = names.prefix(20).joined(separator: ", ")
        let more = names.count > 20 ? ", and \((names.count - 20).grouped) more" : ""
        line(
            "Keeps \(names.count.grouped) \(names.count == 1 ? "declaration" : "declarations"): \(shown)\(more)."
        )
    }
}
