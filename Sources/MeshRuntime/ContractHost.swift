internal import IPLD
internal import MeshCore

/// Why a call of a host function ends the run, as its outcome names it.
package enum HostTrap: String, Error {
    /// A pointer or length outside the memory, the same trap as the program's own loads and stores have.
    case outsideMemory = "memory_out_of_bounds"
    /// The run noted more use than it may have.
    case notAuthorised = "not_authorised"
    case tooManyEffects = "too_many_effects"
}

/// A text as a program handed it over; what is longer than allowed is not read.
package enum HostText {
    case text(String)
    case tooLong(Int)
    case notUTF8
}

/// The rules by which a run's host answers: who may have how much, what was used, and what is on record.
///
/// It sees no memory and no machine. What it answers follows from the grant, the contract's own
/// declarations and the calls so far, so that a run that is repeated is answered alike.
package struct ContractHost {
    /// What came of one call.
    package struct Answer {
        package let isGranted: Bool
        /// The line that goes to the run's log; `nil` for none.
        package let line: String?
    }

    /// How much of a resource may be used in all.
    private enum Ceiling {
        case unknown
        case amount(UInt64)
        case none
    }

    package static let codeByteCountMax = 128
    package static let priorityByteCountMax = 16
    package static let priorities = ["low", "medium", "high", "critical"]
    /// The largest amount of one submission: what every JSON reader still reads exactly.
    package static let submissionAmountMax: Int64 = 1 << 53

    private let grant: RunGrant?
    private let section: ContractSection?
    package private(set) var effects: [RunEffect] = []
    /// By the bytes of the resource's name, since what counts as one name must never depend on tables that
    /// change with Unicode.
    private var used: [[UInt8]: UInt64] = [:]
    private var submissionCount: UInt32 = 0

    package init(grant: RunGrant?, section: ContractSection?) {
        self.grant = grant
        self.section = section
    }

    // MARK: The functions

    /// Data for the receipt to anchor.
    package mutating func anchor(_ data: HostText) throws(HostTrap) -> Answer {
        guard grant != nil else { return try refuse(.anchorToDAG, Self.noGrant) }
        switch Self.read(data, "data") {
        case .failure(let fault): return try refuse(.anchorToDAG, fault.reason)
        case .success(let text):
            try note(.anchored(text))
            return Answer(isGranted: true, line: "anchored: \(text.utf8.count) bytes")
        }
    }

    /// Whether `amount` more of a resource may be used; a plain yes leaves no trace.
    package mutating func check(_ resource: HostText, _ amount: Int64) throws(HostTrap) -> Answer {
        guard grant != nil else { return try refuse(.checkResourceAuthorization, Self.noGrant) }
        switch Self.readResource(resource) {
        case .failure(let fault): return try refuse(.checkResourceAuthorization, fault.reason)
        case .success(let name):
            if let reason = objection(to: amount, of: name, unknownIsFine: false) {
                return try refuse(.checkResourceAuthorization, reason)
            }
            return Answer(isGranted: true, line: nil)
        }
    }

    /// Notes use; an answer of no ends the run, because the use has happened by the program's own account.
    package mutating func record(_ resource: HostText, _ amount: Int64) throws(HostTrap) -> Answer {
        switch Self.readResource(resource) {
        case .failure(let fault): return try refuse(.recordResourceUsage, fault.reason)
        case .success(let name):
            if let reason = objection(to: amount, of: name, unknownIsFine: true) {
                return try refuse(.recordResourceUsage, reason)
            }
            let magnitude = amount.magnitude
            try note(.used(resource: name, amount: magnitude))
            use(magnitude, of: name)
            return Answer(isGranted: true, line: "used: \(magnitude) of \(name)")
        }
    }

    /// Asks for a job.
    package mutating func submit(
        code: HostText, description: HostText, resource: HostText, amount: Int64, priority: HostText
    ) throws(HostTrap) -> Answer {
        let submission: RunSubmission
        do throws(Fault) {
            submission = RunSubmission(
                code: try Self.readCode(code),
                description: try Self.read(description, "description").get(),
                resource: try Self.readResource(resource).get(),
                amount: amount.magnitude, priority: try Self.readPriority(priority),
                requirements: section?.requirements ?? SubmissionRequirements())
            try authorise(submission, amount)
        } catch {
            return try refuse(.submitJob, error.reason)
        }
        try note(.submitted(submission))
        use(submission.amount, of: submission.resource)
        submissionCount += 1
        return Answer(
            isGranted: true,
            line: "submitted: \(submission.code), \(submission.amount) of \(submission.resource), "
                + "priority \(submission.priority)")
    }

    // MARK: Authorisation

    private func authorise(_ submission: RunSubmission, _ amount: Int64) throws(Fault) {
        guard (1...Self.submissionAmountMax).contains(amount) else {
            throw Fault(reason: "the amount \(amount) is not between 1 and \(Self.submissionAmountMax)")
        }
        guard let grant else { throw Fault(reason: Self.noGrant) }
        if let reason = objection(to: amount, of: submission.resource, unknownIsFine: false) {
            throw Fault(reason: reason)
        }
        guard grant.submissionCountMax > 0 else {
            throw Fault(reason: "this job may not submit jobs of its own")
        }
        let most = min(grant.submissionCountMax, RunEffectLimits.submissionCountMax)
        guard submissionCount < most else {
            throw Fault(reason: "the run has asked for \(most) jobs already")
        }
    }

    private func ceiling(of resource: String) -> Ceiling {
        let declared = section?.limit(of: resource)
        if let grant, grant.resource.utf8.elementsEqual(resource.utf8) {
            return .amount(min(grant.amount, declared?.amount ?? .max))
        }
        guard let declared else { return .unknown }
        return declared.amount.map { .amount($0) } ?? .none
    }

    /// Why the run may not have `amount` more of `resource`; `nil` when it may.
    private func objection(to amount: Int64, of resource: String, unknownIsFine: Bool) -> String? {
        guard amount >= 0 else { return "the amount \(amount) of \"\(resource)\" is negative" }
        switch ceiling(of: resource) {
        case .none: return nil
        case .unknown:
            guard !unknownIsFine else { return nil }
            return "\"\(resource)\" is neither the resource of the job nor one that the contract declares"
        case .amount(let limit):
            let before = used[Array(resource.utf8)] ?? 0
            // What is left cannot be negative; a sum could pass what a number holds.
            guard amount.magnitude <= limit - min(limit, before) else {
                return "\(amount) of \"\(resource)\" is too much: \(before) of \(limit) is used"
            }
            return nil
        }
    }

    private mutating func use(_ amount: UInt64, of resource: String) {
        let name = Array(resource.utf8)
        let (sum, overflow) = (used[name] ?? 0).addingReportingOverflow(amount)
        used[name] = overflow ? .max : sum
    }

    private mutating func refuse(
        _ function: HostFunction, _ reason: String
    ) throws(HostTrap) -> Answer {
        try note(.refused(function, reason: reason))
        return Answer(isGranted: false, line: "refused: \(function.rawValue): \(reason)")
    }

    /// Puts an effect on record; nothing has changed when the record is full.
    private mutating func note(_ effect: RunEffect) throws(HostTrap) {
        guard effects.count < RunEffectLimits.effectCountMax else { throw .tooManyEffects }
        effects.append(effect)
    }
}

extension ContractHost {
    private static let noGrant = "the run was given nothing to ask for"

    /// Why a call is refused.
    private struct Fault: Error {
        let reason: String
    }

    // MARK: Texts

    private static func read(_ text: HostText, _ what: String) -> Result<String, Fault> {
        switch text {
        case .text(let text): .success(text)
        case .tooLong(let limit): .failure(Fault(reason: "the \(what) is longer than \(limit) bytes"))
        case .notUTF8: .failure(Fault(reason: "the \(what) is not UTF-8"))
        }
    }

    private static func readResource(_ text: HostText) -> Result<String, Fault> {
        read(text, "resource type").flatMap { name in
            name.isEmpty ? .failure(Fault(reason: "the resource type is empty")) : .success(name)
        }
    }

    private static func readCode(_ text: HostText) throws(Fault) -> CID {
        let text = try read(text, "code's name").get()
        // The reason becomes part of what a replay compares, so it quotes nothing that may be worded anew.
        guard let cid = try? CID(text) else { throw Fault(reason: "the code is not named by a CID") }
        return cid
    }

    private static func readPriority(_ text: HostText) throws(Fault) -> String {
        let text = try read(text, "priority").get()
        guard priorities.contains(text) else {
            throw Fault(reason: "the priority is not one of \(priorities.joined(separator: ", "))")
        }
        return text
    }
}
