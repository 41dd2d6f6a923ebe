internal import MeshCore

extension Checker {
    /// Holds what an entrance uses against what the contract declares.
    mutating func judge(_ summary: UseSummary) {
        for use in summary.uses {
            let limit = resources.limit(of: use.resource)
            guard use.peakMost > limit || use.peakLeast > limit else { continue }
            if use.resource == ResourceTable.submissions {
                guard use.least > limit else { continue }
                report(
                    .tooManySubmissions,
                    "A run may submit \(limit.grouped) jobs, and this one submits at least \(use.least.grouped)",
                    at: use.leastSite, hint: "let several runs share the work")
                continue
            }
            let name = resources.names[use.resource]
            if use.peakLeast > limit {
                report(
                    .overspent,
                    "A run needs at least \(use.peakLeast.grouped) \(name) from here on; `resources` declares \(limit.grouped)",
                    at: use.leastSite, hint: "declare `\(name): \(use.peakLeast);`, or use less")
            } else if use.peakMost == .max {
                report(
                    .unknownAmount,
                    "How much \(name) is used is known to the run alone; `resources` declares \(limit.grouped)",
                    at: use.mostSite,
                    hint: "ask before: `if check_resource_authorization(\"\(name)\", …) { … }`")
            } else {
                report(
                    .mayOverspend,
                    "A run may need up to \(use.peakMost.grouped) \(name) from here on; `resources` declares \(limit.grouped)",
                    at: use.mostSite, hint: "declare `\(name): \(use.peakMost);`, or use less")
            }
        }
    }

    /// What is known of `run`.
    mutating func summarize(_ summary: UseSummary) {
        for use in summary.uses {
            switch use.resource {
            case ResourceTable.submissions:
                spending.submissionsAtLeast = use.least
                spending.submissionsAtMost = use.total == .max ? nil : use.total
            case ResourceTable.others: spending.hasUnknownResource = true
            default: continue
            }
        }
        spending.uses = uses(in: summary)
    }

    /// What an entrance uses of the resources that are known by name, sorted by it.
    func uses(in summary: UseSummary) -> [Spending.Use] {
        var uses: [Spending.Use] = []
        for use in summary.uses
        where use.resource != ResourceTable.submissions && use.resource != ResourceTable.others {
            let peak = max(use.total, use.peakMost)
            uses.append(
                Spending.Use(
                    resource: resources.names[use.resource], atLeast: use.least,
                    atMost: use.total == .max ? nil : use.total, needed: peak == .max ? nil : peak))
        }
        return uses.sorted { $0.resource < $1.resource }
    }
}
