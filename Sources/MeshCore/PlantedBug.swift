/// Mistakes that can be built into the protocol to see whether the simulator notices them.
///
/// A check that has never failed proves little. Each case stands at one condition of the production code,
/// behind ``isPlanted(_:)``, which is `false` and costs nothing unless the build defines `PLANTED_BUGS`.
/// `netsim planted` makes them one at a time and names the checker that catches each.
public enum PlantedBug: String, Sendable, CaseIterable {
    /// The engine never says that a step must be durable before it is told: a crash takes back what was confirmed.
    case effectsBeforeCommit = "effects-before-commit"
    /// A placer forgets, until it is in its feed, that it has awarded a job, and awards it again.
    case awardForgotten = "award-forgotten"
    /// A close charges the whole bid, however little of its limit the run has used.
    case chargeUnscaled = "charge-unscaled"
    /// What a frozen feed contributed from its fork on is not undone.
    case suffixKept = "suffix-kept"
    /// Of the two sides of an equivocation only the first signature is checked: anyone can have anyone frozen.
    case evidenceUnchecked = "evidence-unchecked"
    /// The jobs that a receipt asks for are submitted before anybody has verified it.
    case childrenUnverified = "children-unverified"
    /// A repeated run is not compared by the jobs that it asks for.
    case submissionsNotCompared = "submissions-not-compared"
    /// A receipt links the start of its execution, and nobody has kept it.
    case startNotKept = "start-not-kept"
    /// A repeated run is compared by its outputs alone.
    case fuelNotCompared = "fuel-not-compared"
    /// A repeated run is compared by its fuel alone.
    case outputsNotCompared = "outputs-not-compared"
    /// An executor that has fallen silent keeps its job.
    case leaseNeverLapses = "lease-never-lapses"
    /// After a lapsed lease bids are called for under the epoch that has lapsed.
    case epochKept = "epoch-kept"
    /// A node that is suspected does not say that it is alive.
    case suspicionUnrefuted = "suspicion-unrefuted"
    /// A new anchor's time is later than the feed's own last one, but not later than its parents.
    case clockBehindParents = "clock-behind-parents"
    /// A restarted node does not look again at the jobs that were open.
    case openJobsForgotten = "open-jobs-forgotten"
    /// A feed's mark is not written with its anchor: a restart begins every feed anew.
    case markUnwritten = "mark-unwritten"
    /// A freeze is kept in memory and not in the store.
    case freezeUnwritten = "freeze-unwritten"
    /// Reconciliation asks for all but the last of the anchors that are missing.
    case fetchOneTooFew = "fetch-one-too-few"
    /// The signatures of anchors are not checked.
    case signatureUnchecked = "signature-unchecked"
    /// Undoing removes a contribution from the store and not from the ledger in memory.
    case ledgerNotUndone = "ledger-not-undone"
    /// A member that finds a receipt wrong counts towards its quorum.
    case mismatchAgrees = "mismatch-agrees"
    /// The sum of all marks takes a feed's first mark out, whichever stood there last.
    case sumDrifts = "sum-drifts"
    /// Of two different anchors at one place of a feed the second is taken for a repetition.
    case forkUnnoticed = "fork-unnoticed"
    /// Frontiers are compared when a link opens, and never again.
    case reconciledOnce = "reconciled-once"
    /// The mark of a frozen feed stays where it was, above what counts.
    case frozenHeadKept = "frozen-head-kept"
    /// Of two writes to an attribute of the graph the one that comes last stands, whatever their stamps.
    case arrivalOverStamps = "arrival-over-stamps"
    /// What a frozen feed ended in the graph stays ended when its suffix is undone.
    case endsNotUndone = "ends-not-undone"
    /// What a bid has set aside is never given back.
    case capacityLeaks = "capacity-leaks"

    /// Whether this build can make them.
    public static var isPossible: Bool {
        #if PLANTED_BUGS
        true
        #else
        false
        #endif
    }

    #if PLANTED_BUGS
    /// The one that is made; `nil` for a correct program. To be set while no engine runs.
    // One thread writes it, before it starts those that read it and after they have ended.
    nonisolated(unsafe) public static var chosen: PlantedBug?
    #endif
}

#if PLANTED_BUGS
/// Whether this mistake is to be made here.
public func isPlanted(_ bug: PlantedBug) -> Bool { unsafe PlantedBug.chosen == bug }
#else
/// Whether this mistake is to be made here: never, in a build that does not define `PLANTED_BUGS`.
@inlinable @inline(__always)
public func isPlanted(_ bug: PlantedBug) -> Bool { false }
#endif

extension PlantedBug {
    /// Makes one of them from now on, in a build that can; `nil` for none.
    public static func plant(_ bug: PlantedBug?) {
        #if PLANTED_BUGS
        unsafe chosen = bug
        #endif
    }
}
