internal import MeshCore

/// The least and the most that a stretch of running code uses of each resource, and where a limit is crossed.
///
/// Resources are numbers of ``ResourceTable``, of which there are few, so that putting two of these together is
/// a bounded step however long the text is.
struct UseSummary {
    struct Use {
        var resource: Int
        var least: Int64
        /// `Int64.max` where nothing bounds it.
        var most: Int64
        /// What brought the least, and the most, above the limit, or else the last that added to it.
        var leastSite: SourceRange
        var mostSite: SourceRange
    }

    /// Sorted by resource.
    private(set) var uses: [Use] = []

    init() {}

    init(resource: Int, least: Int64, most: Int64, at site: SourceRange) {
        uses = [Use(resource: resource, least: least, most: most, leastSite: site, mostSite: site)]
    }

    static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    static func product(_ a: Int64, _ b: Int64) -> Int64 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? .max : product
    }

    /// Appends what comes after. A place inside what comes after is named by `site`, where one is given, unless the
    /// limit is crossed within it.
    mutating func append(_ next: UseSummary, limits: ResourceTable, site: SourceRange? = nil) {
        for use in next.uses {
            var index = uses.count
            while index > 0, uses[index - 1].resource >= use.resource { index -= 1 }
            let limit = limits.limit(of: use.resource)
            let (leastSite, mostSite) = (
                use.least > limit ? use.leastSite : site ?? use.leastSite,
                use.most > limit ? use.mostSite : site ?? use.mostSite
            )
            if index < uses.count, uses[index].resource == use.resource {
                if uses[index].least <= limit, use.least > 0 { uses[index].leastSite = leastSite }
                if uses[index].most <= limit, use.most > 0 { uses[index].mostSite = mostSite }
                uses[index].least = Self.sum(uses[index].least, use.least)
                uses[index].most = Self.sum(uses[index].most, use.most)
            } else {
                var use = use
                (use.leastSite, use.mostSite) = (leastSite, mostSite)
                uses.insert(use, at: index)
            }
        }
    }

    /// One of two ways.
    func merged(with other: UseSummary) -> UseSummary {
        var merged = UseSummary()
        var (i, j) = (0, 0)
        while i < uses.count || j < other.uses.count {
            if j == other.uses.count || (i < uses.count && uses[i].resource < other.uses[j].resource) {
                merged.uses.append(uses[i])
                merged.uses[merged.uses.count - 1].least = 0
                i += 1
            } else if i == uses.count || other.uses[j].resource < uses[i].resource {
                merged.uses.append(other.uses[j])
                merged.uses[merged.uses.count - 1].least = 0
                j += 1
            } else {
                var (use, second) = (uses[i], other.uses[j])
                if second.least < use.least { (use.least, use.leastSite) = (second.least, second.leastSite) }
                if second.most > use.most { (use.most, use.mostSite) = (second.most, second.mostSite) }
                merged.uses.append(use)
                (i, j) = (i + 1, j + 1)
            }
        }
        return merged
    }

    /// So many times over; the most is `nil` where it is not known how often.
    func repeated(atLeast: Int64, atMost: Int64?) -> UseSummary {
        var repeated = self
        for index in repeated.uses.indices {
            repeated.uses[index].least = Self.product(uses[index].least, atLeast)
            repeated.uses[index].most =
                if let atMost { Self.product(uses[index].most, atMost) } else {
                    uses[index].most == 0 ? 0 : .max
                }
        }
        return repeated
    }
}

/// How control leaves a stretch of code, and what was used until then.
struct Flow {
    /// At its end; `nil` when its end is never reached.
    var falls: UseSummary? = UseSummary()
    /// Through `return`; `nil` without one that is reached.
    var returned: UseSummary?

    static let unreachable: Flow = {
        var flow = Flow()
        flow.falls = nil
        return flow
    }()

    static func either(_ a: UseSummary?, _ b: UseSummary?) -> UseSummary? {
        guard let a else { return b }
        guard let b else { return a }
        return a.merged(with: b)
    }

    mutating func append(_ next: Flow, limits: ResourceTable) {
        guard let before = falls else { return }
        if let last = next.returned {
            var whole = before
            whole.append(last, limits: limits)
            returned = Self.either(returned, whole)
        }
        if let last = next.falls { falls?.append(last, limits: limits) } else { falls = nil }
    }

    func merged(with other: Flow) -> Flow {
        var flow = Flow()
        flow.falls = Self.either(falls, other.falls)
        flow.returned = Self.either(returned, other.returned)
        return flow
    }

    /// Whichever way it ends.
    var whole: UseSummary { Self.either(falls, returned) ?? UseSummary() }
}

/// The resources that a contract uses, each with a number, and the limits that it declares.
struct ResourceTable {
    /// Submitting a job counts as using one of these.
    static let submissions = 0
    /// What is used of further resources is added up together.
    static let others = 1
    private static let countMax = 64

    private(set) var names = ["", ""]
    private var numbers: [String: Int] = [:]
    private var limits: [Int64] = [Int64(Limits.submissionCountMax), .max]
    private(set) var declared: [String: Int64?] = [:]

    func limit(of resource: Int) -> Int64 { limits[resource] }

    /// `nil` for no limit, though it is declared.
    mutating func declare(_ resource: String, limit: Int64?) { declared[resource] = .some(limit) }

    func isKnown(_ resource: String) -> Bool { resource == "compute" || declared[resource] != nil }

    mutating func number(of resource: String) -> Int {
        if let number = numbers[resource] { return number }
        guard names.count < Self.countMax else { return Self.others }
        numbers[resource] = names.count
        names.append(resource)
        limits.append((declared[resource] ?? nil) ?? .max)
        return names.count - 1
    }
}
