import Foundation
import MeshTestSupport
import Testing

/// `meshctl ccl run`, which needs the runtime but no daemon.
@Suite("Contracts tried without a daemon", .tags(.Size.medium))
struct ContractTrialTests {
    private static let module = "bafkreifuy2zi27kestz6jpyswkbbgfvriks7joo7jew6a676qa4mtfzeey"

    private func run(_ text: String, _ flags: String...) throws -> Ran {
        try Programs.run(
            Programs.meshctl, ["ccl", "run", "-"] + flags, environment: ["MESHCTL_SOCKET": "/nonexistent"],
            input: Array(text.utf8))
    }

    private func example(_ name: String, _ flags: String...) throws -> Ran {
        try Programs.run(
            Programs.meshctl,
            ["ccl", "run", Programs.package.appendingPathComponent("examples/ccl/\(name)").path] + flags,
            environment: ["MESHCTL_SOCKET": "/nonexistent"])
    }

    @Test("what a contract would do goes to standard output, what it logs and uses to standard error")
    func streams() throws {
        let ran = try run(
            """
            resources { cpu: 5; }
            execution {
                log("begins");
                anchor_data("a text", path: "a");
                record_resource_usage("cpu", 3);
                submit_job(wasm_cid: "\(Self.module)", description: "d", resource_amount: 7, priority: "low");
            }
            """)
        #expect(ran.status == 0, "\(ran)")
        #expect(
            ran.lines == [
                "Would anchor: a: a text", "Would record: 3 cpu used",
                "Would submit: \"d\", module \(Self.module), 7 compute, priority low", "",
            ])
        #expect(ran.errors.hasPrefix("begins\nanchored: 9 bytes\nused: 3 of cpu\nsubmitted: "), "\(ran)")
        #expect(ran.errors.contains("\noutcome: ok\nfuel used: "))
        #expect(try run("execution { log(\"x\"); }").output == "It would do nothing.\n")
    }

    @Test("a contract that fails ends with 3, and as JSON says how, what was refused and where")
    func failing() throws {
        let refused = try example("refused.ccl")
        #expect(refused.status == 3, "\(refused)")
        #expect(refused.output.hasPrefix("Refused: host_submit_job: \"storage\" is neither "), "\(refused)")
        #expect(
            refused.errors.contains("\noutcome: trap, unreachable: a job would fail and submit nothing\n"))
        let json = try example("refused.ccl", "-o", "json")
        #expect(json.status == 3 && json.errors.isEmpty, "\(json)")
        let object = try json.object()
        #expect(
            Set(object.keys) == ["file", "ok", "outcome", "effects", "log", "fuel_used", "host_calls"])
        #expect(object["ok"] as? Bool == false)
        #expect(object["outcome"] as? [String: String] == ["class": "trap", "trap": "unreachable"])
        let effects = try #require(object["effects"] as? [[String: [String: Any]]])
        #expect(effects.count == 1 && effects[0]["refused"]?["function"] as? String == "host_submit_job")
        let log = try #require(object["log"] as? [String])
        #expect(log.last?.hasPrefix("contract.ccl:") == true, "\(log)")
        // Too little fuel is another way to end, and too little of the resource another.
        let dry = try example("pipeline.ccl", "--fuel", "50", "-o", "json")
        #expect(dry.status == 3)
        #expect((try dry.object()["outcome"] as? [String: Any])?["class"] as? String == "fuel")
        let poor = try example("submit-job.ccl", "--resource-amount", "999")
        #expect(poor.status == 3)
        #expect(poor.output.contains("1000 of \"compute\" is too much: 0 of 999 is used"), "\(poor)")
        #expect(try example("submit-job.ccl", "--resource-amount", "1000").status == 0)
    }

    @Test("a handler is run by its event, and one that is not there is an error with those that are")
    func events() throws {
        let ran = try example("report.ccl", "--event", "schedule.weekly")
        #expect(ran.status == 0 && ran.output.contains("Would submit: \"weekly report\""), "\(ran)")
        #expect(try example("report.ccl").output.contains("Would submit: \"first report\""))
        // Each is given what it is known to use itself.
        let both = """
            execution { log("nothing"); }
            on "sum" { submit_job(wasm_cid: "\(Self.module)", resource_amount: 500); }
            """
        #expect(try run(both, "--event", "sum").status == 0)
        #expect(try run(both).status == 0)
        let missing = try example("report.ccl", "--event", "schedule.daily")
        #expect(missing.status == 1 && missing.output.isEmpty)
        #expect(missing.errors.hasSuffix("hint: it handles schedule.weekly\n"), "\(missing)")
    }

    @Test("a contract with errors is not run")
    func faulty() throws {
        let ran = try run("execution { log(nobody); }")
        #expect(ran.status == 1 && ran.output.isEmpty)
        #expect(ran.errors.hasPrefix("error[C201]: ") && ran.errors.contains("standard input:1:17"), "\(ran)")
    }

    @Test("control characters in what a contract would do are spelled out, not sent to the terminal")
    func control() throws {
        let ran = try run(
            """
            execution {
                anchor_data("\\u{1b}[2Jgone\\nnext");
                submit_job(wasm_cid: "\(Self.module)", description: "\\u{1b}[31mred\\u{7f}", resource_amount: 1);
            }
            """)
        #expect(ran.status == 0)
        #expect(
            ran.lines.prefix(2) == [
                "Would anchor: \\u{1b}[2Jgone\\u{a}next",
                "Would submit: \"\\u{1b}[31mred\\u{7f}\", module \(Self.module), 1 compute, priority medium",
            ], "\(ran)")
    }
}
