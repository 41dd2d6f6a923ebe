internal import MeshCore

extension Checker {
    /// Holds what an entrance uses against what the contract declares.
    mutating func judge(_ summary: UseSummary) {
        for use in summary.uses {
            let limit = resources.limit(of: use.resource)
            guard use.most > limit || use.least > limit else { continue }
            if use.resource == ResourceTable.submissions {
                guard use.least > limit else { continue }
                report(
                    .tooManySubmissions,
                    "A run may submit \(limit.grouped) jobs, and this one submits at least \(use.least.grouped)",
                    at: use.leastSite, hint: "let several runs share the work")
                continue
            }
            let name = resources.names[use.resource]
            if use.least > limit {
                report(
                    .overspent,
                    "A run uses at least \(use.least.grouped) \(name) from here on; `resources` declares \(limit.grouped)",
                    at: use.leastSite, hint: "declare `\(name): \(use.least);`, or use less")
            } else if use.most == .max {
                report(
                    .unknownAmount,
                    "How much \(name) is used is known to the run alone; `resources` declares \(limit.grouped)",
                    at: use.mostSite,
                    hint: "ask before: `if check_resource_authorization(\"\(name)\", …) { … }`")
            } else {
                report(
                    .mayOverspend,
                    "A run may use up to \(use.most.grouped) \(name) from here on; `resources` declares \(limit.grouped)",
                    at: use.mostSite, hint: "declare `\(name): \(use.most);`, or use less")
            }
        }
    }

    /// What is known of `run`.
    mutating func summarize(_ summary: UseSummary) {
        for use in summary.uses {
            let most = use.most == .max ? nil : use.most
            switch use.resource {
            case ResourceTable.submissions:
                (spending.submissionsAtLeast, spending.submissionsAtMost) = (use.least, most)
            case ResourceTable.others: spending.hasUnknownResource = true
            default:
                spending.uses.append(
                    Spending.Use(resource: resources.names[use.resource], atLeast: use.least, atMost: most))
            }
        }
        spending.uses.sort { $0.resource < $1.resource }
    }
}
