internal import MeshCore

/// The least and the most that a stretch of running code uses of each resource, and where a limit is crossed.
///
/// Resources are numbers of ``ResourceTable``, of which there are few, so that putting two of these together is
/// a bounded step however long the text is.
struct UseSummary {
    struct Use {
        var resource: Int
        var least: Int64
        /// `Int64.max` where nothing bounds it, as in the other figures; without what the code itself asks for before.
        var most: Int64
        /// With it.
        var total: Int64
        /// The most that is used or asked for at any one moment, on the way that takes the least and on the other.
        var peakLeast: Int64
        var peakMost: Int64
        /// What brought the one peak, and the other, above the limit, or else the last that raised it.
        var leastSite: SourceRange
        var mostSite: SourceRange

        /// Where another way uses nothing of it.
        var orNothing: Use {
            var use = self
            (use.least, use.peakLeast) = (0, 0)
            return use
        }
    }

    /// Sorted by resource.
    private(set) var uses: [Use] = []

    init() {}

    init(resource: Int, least: Int64, most: Int64, at site: SourceRange) {
        uses = [
            Use(
                resource: resource, least: least, most: most, total: most, peakLeast: least, peakMost: most,
                leastSite: site, mostSite: site)
        ]
    }

    /// What must be authorised and is not used.
    init(resource: Int, askedLeast: Int64, askedMost: Int64, at site: SourceRange) {
        self.init(resource: resource, least: 0, most: 0, at: site)
        uses[0].peakLeast = askedLeast
        uses[0].peakMost = askedMost
    }

    /// Nothing of these resources can be too much: the code has asked whether it may.
    mutating func cover(_ resources: [Int]) {
        for index in uses.indices where resources.contains(uses[index].resource) {
            uses[index].most = uses[index].least
            uses[index].peakMost = uses[index].peakLeast
        }
    }

    static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    static func product(_ a: Int64, _ b: Int64) -> Int64 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? .max : product
    }

    /// Appends what comes after.
    ///
    /// A place inside what comes after is named by `site`, where one is given, unless the limit is crossed
    /// within it.
    mutating func append(_ next: UseSummary, limits: ResourceTable, site: SourceRange? = nil) {
        for use in next.uses {
            var index = uses.count
            while index > 0, uses[index - 1].resource >= use.resource { index -= 1 }
            let limit = limits.limit(of: use.resource)
            let (leastSite, mostSite) = (
                use.peakLeast > limit ? use.leastSite : site ?? use.leastSite,
                use.peakMost > limit ? use.mostSite : site ?? use.mostSite
            )
            if index < uses.count, uses[index].resource == use.resource {
                let old = uses[index]
                let peakLeast = Self.sum(old.least, use.peakLeast)
                let peakMost = Self.sum(old.most, use.peakMost)
                if old.peakLeast <= limit, peakLeast > old.peakLeast { uses[index].leastSite = leastSite }
                if old.peakMost <= limit, peakMost > old.peakMost { uses[index].mostSite = mostSite }
                uses[index].peakLeast = max(old.peakLeast, peakLeast)
                uses[index].peakMost = max(old.peakMost, peakMost)
                uses[index].least = Self.sum(old.least, use.least)
                uses[index].most = Self.sum(old.most, use.most)
                uses[index].total = Self.sum(old.total, use.total)
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
                merged.uses.append(uses[i].orNothing)
                i += 1
            } else if i == uses.count || other.uses[j].resource < uses[i].resource {
                merged.uses.append(other.uses[j].orNothing)
                j += 1
            } else {
                var (use, second) = (uses[i], other.uses[j])
                use.least = min(use.least, second.least)
                use.most = max(use.most, second.most)
                use.total = max(use.total, second.total)
                if second.peakLeast < use.peakLeast {
                    (use.peakLeast, use.leastSite) = (second.peakLeast, second.leastSite)
                }
                if second.peakMost > use.peakMost {
                    (use.peakMost, use.mostSite) = (second.peakMost, second.mostSite)
                }
                merged.uses.append(use)
                (i, j) = (i + 1, j + 1)
            }
        }
        return merged
    }

    /// So many times over; the most is `nil` where it is not known how often.
    func repeated(atLeast: Int64, atMost: Int64?) -> UseSummary {
        var repeated = self
        func most(_ once: Int64) -> Int64 {
            if let atMost { return Self.product(once, atMost) }
            return once == 0 ? 0 : .max
        }
        // The last time round stands on what all the others have used.
        func peak(_ use: Int64, _ peak: Int64, times: Int64?) -> Int64 {
            guard let times else { return use == 0 ? peak : .max }
            return times < 1 ? 0 : Self.sum(Self.product(use, times - 1), peak)
        }
        for (index, use) in uses.enumerated() {
            repeated.uses[index].least = Self.product(use.least, atLeast)
            repeated.uses[index].most = most(use.most)
            repeated.uses[index].total = most(use.total)
            repeated.uses[index].peakLeast = peak(use.least, use.peakLeast, times: atLeast)
            repeated.uses[index].peakMost = peak(use.most, use.peakMost, times: atMost)
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

    /// See ``UseSummary/cover(_:)``.
    mutating func cover(_ resources: [Int]) {
        guard !resources.isEmpty else { return }
        falls?.cover(resources)
        returned?.cover(resources)
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
    private var limits: [Int64] = [Int64(RunEffectLimits.submissionCountMax), .max]
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
