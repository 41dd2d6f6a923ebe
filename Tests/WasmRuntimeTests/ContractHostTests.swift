import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("What a contract's host allows", .tags(.Size.small))
struct ContractHostTests {
    private let section = ContractSection(
        limits: [
            .init(resource: "compute", amount: 80), .init(resource: "cpu", amount: 10),
            .init(resource: "token", amount: nil),
        ], requirements: SubmissionRequirements(cpu: 3))

    private func host(
        amount: UInt64 = 100, count: UInt32 = 4, declared: Bool = false, granted: Bool = true
    ) -> ContractHost {
        ContractHost(
            grant: granted
                ? RunGrant(resource: "compute", amount: amount, submissionCountMax: count) : nil,
            section: declared ? section : nil)
    }

    private func allows(_ host: inout ContractHost, _ resource: String, _ amount: Int64) throws -> Bool {
        try host.check(.text(resource), amount).isGranted
    }

    private func records(_ host: inout ContractHost, _ resource: String, _ amount: Int64) throws -> Bool {
        try host.record(.text(resource), amount).isGranted
    }

    private func submits(
        _ host: inout ContractHost, code: HostText = .text(ContractFixture.cid),
        description: HostText = .text("d"), resource: HostText = .text("compute"), amount: Int64 = 1,
        priority: HostText = .text("high")
    ) throws -> Bool {
        try host.submit(
            code: code, description: description, resource: resource, amount: amount, priority: priority
        ).isGranted
    }

    @Test("the grant bounds its resource, lowered by what the contract declares and never raised")
    func granted() throws {
        var plain = host()
        #expect(try allows(&plain, "compute", 100))
        #expect(try !allows(&plain, "compute", 101))
        #expect(try !allows(&plain, "cpu", 0))
        var lowered = host(declared: true)
        #expect(try allows(&lowered, "compute", 80))
        #expect(try !allows(&lowered, "compute", 81))
        var small = host(amount: 5, declared: true)
        #expect(try allows(&small, "compute", 5))
        #expect(try !allows(&small, "compute", 6))
    }

    @Test("another resource has the limit that the contract declares, or none")
    func declared() throws {
        var host = host(declared: true)
        #expect(try records(&host, "cpu", 10))
        #expect(try !allows(&host, "cpu", 1))
        #expect(try allows(&host, "cpu", 0))
        for _ in 0..<4 { #expect(try records(&host, "token", .max)) }
        #expect(try allows(&host, "token", .max))
        #expect(try !allows(&host, "storage", 0))
        #expect(try records(&host, "storage", .max))
        #expect(try !records(&host, "cpu", 1))
    }

    @Test("names are told apart by their bytes, not by how they look")
    func bytewise() throws {
        let (composed, decomposed) = ("\u{e9}", "e\u{301}")
        var host = ContractHost(
            grant: RunGrant(resource: composed, amount: 5, submissionCountMax: 0),
            section: ContractSection(limits: [.init(resource: decomposed, amount: 3)]))
        #expect(try records(&host, composed, 5))
        #expect(try allows(&host, decomposed, 3))
        #expect(try !allows(&host, decomposed, 4))
        #expect(try !allows(&host, composed, 1))
    }

    @Test("amounts at the ends of what a number holds are answered like any other")
    func extremes() throws {
        var most = host(amount: .max)
        #expect(try allows(&most, "compute", .max))
        for _ in 0..<2 { #expect(try records(&most, "compute", .max)) }
        #expect(try allows(&most, "compute", 1))
        #expect(try !allows(&most, "compute", 2))
        #expect(try !allows(&most, "compute", .min))
        #expect(try !allows(&most, "compute", -1))
        #expect(try !records(&most, "compute", .min))
        #expect(try !records(&most, "anything", -1))
        #expect(try !submits(&most, amount: .min))
        #expect(try !submits(&most, amount: .max))
        var fresh = host(amount: .max)
        #expect(try submits(&fresh, amount: 1 << 53))
        #expect(try !submits(&fresh, amount: (1 << 53) + 1))
        #expect(try !submits(&fresh, amount: 0))
    }

    @Test("submissions and records draw on the same amount, and a refused submission on none")
    func sharing() throws {
        var host = host()
        #expect(try submits(&host, amount: 60))
        #expect(try !submits(&host, amount: 41))
        #expect(try records(&host, "compute", 39))
        #expect(try submits(&host, amount: 1))
        #expect(try !allows(&host, "compute", 1))
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var code: HostText = .text(ContractFixture.cid)
        var description: HostText = .text("d")
        var resource: HostText = .text("compute")
        var amount: Int64 = 1
        var priority: HostText = .text("high")
    }

    @Test(
        "a submission that is not in order is refused with its reason",
        arguments: [
            Refused(testDescription: "the code's name is longer than 128 bytes", code: .tooLong(128)),
            Refused(testDescription: "the code's name is not UTF-8", code: .notUTF8),
            Refused(testDescription: "the code is not named by a CID", code: .text("bafy")),
            Refused(testDescription: "the code is not named by a CID", code: .text("")),
            Refused(
                testDescription: "the description is longer than 1024 bytes", description: .tooLong(1024)),
            Refused(testDescription: "the description is not UTF-8", description: .notUTF8),
            Refused(testDescription: "the resource type is longer than 64 bytes", resource: .tooLong(64)),
            Refused(testDescription: "the resource type is not UTF-8", resource: .notUTF8),
            Refused(testDescription: "the resource type is empty", resource: .text("")),
            Refused(
                testDescription:
                    "\"cpu\" is neither the resource of the job nor one that the contract declares",
                resource: .text("cpu")),
            Refused(testDescription: "101 of \"compute\" is too much: 0 of 100 is used", amount: 101),
            Refused(
                testDescription: "the amount 0 is not between 1 and 9007199254740992", amount: 0),
            Refused(
                testDescription: "the amount -5 is not between 1 and 9007199254740992", amount: -5),
            Refused(
                testDescription: "the priority is not one of low, medium, high, critical",
                priority: .text("urgent")),
            Refused(testDescription: "the priority is longer than 16 bytes", priority: .tooLong(16)),
        ])
    func refused(_ refused: Refused) throws {
        var host = host()
        let answer = try host.submit(
            code: refused.code, description: refused.description, resource: refused.resource,
            amount: refused.amount, priority: refused.priority)
        #expect(!answer.isGranted)
        #expect(host.effects == [.refused(.submitJob, reason: refused.testDescription)])
        #expect(answer.line == "refused: host_submit_job: " + refused.testDescription)
        #expect(try submits(&host, amount: 100))
    }

    @Test("jobs are counted: none where jobs of jobs have gone deep enough, and never more than 32")
    func counting() throws {
        var deep = host(count: 0)
        #expect(try !submits(&deep))
        #expect(deep.effects == [.refused(.submitJob, reason: "this job may not submit jobs of its own")])
        var ungranted = host(declared: true, granted: false)
        #expect(try !submits(&ungranted, resource: .text("token")))
        var two = host(count: 2)
        #expect(try submits(&two) && submits(&two))
        #expect(try !submits(&two))
        #expect(two.effects.last == .refused(.submitJob, reason: "the run has asked for 2 jobs already"))
        var many = host(count: .max)
        for _ in 0..<32 { #expect(try submits(&many)) }
        #expect(try !submits(&many))
    }

    @Test("every priority is taken, and the contract's requirements go with each submission")
    func requirements() throws {
        var host = host(declared: true)
        for priority in ["low", "medium", "high", "critical"] {
            #expect(try submits(&host, priority: .text(priority)))
        }
        for effect in host.effects {
            guard case .submitted(let submission) = effect else {
                Issue.record("\(effect)")
                continue
            }
            #expect(submission.requirements == SubmissionRequirements(cpu: 3))
        }
    }

    @Test("what is anchored is bounded UTF-8")
    func anchoring() throws {
        var host = host()
        #expect(try host.anchor(.text("")).isGranted)
        #expect(try !host.anchor(.tooLong(4096)).isGranted)
        #expect(try !host.anchor(.notUTF8).isGranted)
        #expect(
            host.effects == [
                .anchored(""), .refused(.anchorToDAG, reason: "the data is longer than 4096 bytes"),
                .refused(.anchorToDAG, reason: "the data is not UTF-8"),
            ])
    }

    @Test("a record that nobody could read is refused like one beyond the limit")
    func unreadableRecord() throws {
        var host = host()
        #expect(try !host.record(.notUTF8, 1).isGranted)
        #expect(try !host.record(.tooLong(64), 1).isGranted)
        #expect(try !host.record(.text(""), 1).isGranted)
        #expect(host.effects.count == 3)
    }

    @Test("when the record is full, nothing is done that it could not hold")
    func full() throws {
        var host = host()
        for _ in 0..<RunEffectLimits.effectCountMax { _ = try host.record(.text("x"), 1) }
        #expect(throws: HostTrap.tooManyEffects) { try host.record(.text("compute"), 1) }
        #expect(throws: HostTrap.tooManyEffects) { try host.anchor(.text("x")) }
        #expect(throws: HostTrap.tooManyEffects) { try submits(&host) }
        #expect(throws: HostTrap.tooManyEffects) { try host.check(.text("compute"), 101) }
        #expect(try allows(&host, "compute", 100))
        #expect(host.effects.count == RunEffectLimits.effectCountMax)
    }

    @Test(
        "under random calls no resource passes its limit, and the record tells what is used",
        arguments: Seed.sample(20))
    func random(_ seed: Seed) throws {
        var generator = seed.generator
        var host = host(amount: .random(in: 0...200, using: &generator), declared: true)
        let amounts: [Int64] = [.min, -1, 0, 1, 3, 9, 40, 80, 1 << 53, .max]
        for _ in 0..<200 {
            let resource = ["compute", "cpu", "token", "other"].randomElement(using: &generator) ?? "cpu"
            let amount = amounts.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: _ = try allows(&host, resource, amount)
            case 1: _ = try records(&host, resource, amount)
            default: _ = try submits(&host, resource: .text(resource), amount: amount)
            }
        }
        var sums: [String: Double] = [:]
        for effect in host.effects {
            switch effect {
            case .used(let resource, let amount): sums[resource, default: 0] += Double(amount)
            case .submitted(let submission):
                sums[submission.resource, default: 0] += Double(submission.amount)
            case .anchored, .refused: break
            }
        }
        #expect(sums["compute", default: 0] <= 80)
        #expect(sums["cpu", default: 0] <= 10)
        #expect(host.effects.count > 20)
    }
}
