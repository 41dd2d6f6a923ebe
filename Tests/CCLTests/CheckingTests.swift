internal import CCL
internal import MeshCore
internal import MeshTestSupport
import Testing

@Suite("What the checker holds to", .tags(.Size.small))
struct CheckingTests {
    static let cid = "bafybeih7q27itb576mtmy5yzggkfzqnfj5dis4h2og6epvyvjyvcedwmze"

    @Test(
        "a diagnostic points at exactly what is wrong",
        arguments: [
            ("execution { log(missing); }", DiagnosticCode.unknownName, "missing"),
            ("resources { compute: 1; } execution { log(text(resources.comput)); }", .unknownName, "comput"),
            ("execution { let x = 1 + true; }", .typeMismatch, "1 + true"),
            ("execution { perform_action(\"a\", -5); }", .invalidArgument, "-5"),
            ("execution { log(message: \"a\", mesage: \"b\"); }", .unknownArgument, "mesage"),
            ("execution { sumbit(\"x\"); }", .unknownFunction, "sumbit"),
            ("execution { let n = 7 / 0; }", .divisionByZero, "0"),
            ("execution { submit_job(\"\(cid)\"); }", .missingArgument, "submit_job(\"\(cid)\")"),
            ("execution { for i in range(0, 200000) { } }", .loopTooLong, "range(0, 200000)"),
            ("execution { fail(\"x\"); log(\"y\"); }", .unreachableCode, "log(\"y\")"),
            ("execution { if true { log(\"y\"); } }", .constantCondition, "true"),
            ("function f() { f(); } execution { f(); }", .recursion, "f"),
            ("on \"e\" { log(ctx.voter.name); }", .declaredOnly, "ctx.voter.name"),
            ("job { priorty: \"low\"; }", .unknownProperty, "priorty"),
        ])
    func places(_ source: String, _ code: DiagnosticCode, _ place: String) {
        let checked = Checked(source)
        #expect(checked.place(of: code) == place, "\(checked.diagnostics)")
    }

    @Test("a misspelt name is answered with the one that was meant")
    func nearest() {
        let hints = Checked("execution { let amount = 5; log(text(amonut)); lgo(\"x\"); }").diagnostics.map(
            \.hint)
        #expect(hints.contains("did you mean `amount`?") && hints.contains("did you mean `log`?"))
    }

    @Test("one error is one diagnostic: what depends on it is not complained about")
    func cascade() {
        let source =
            "execution { let a = missing; let b = a + 1; log(text(b * 2)); for i in range(0, b) { log(text(i + a)); } }"
        #expect(Checked(source).codes == [.unknownName])
    }

    @Test(
        "functions in a row are checked to a depth, and refused behind it", arguments: [150, 199, 201, 5_000])
    func chains(count: Int) {
        var source = "execution { f0(1); }\n"
        for index in 0..<count { source += "function f\(index)(n) { f\(index + 1)(n); }\n" }
        source += "function f\(count)(n) { log(text(n)); }\n"
        #expect(Checked(source).errors == (count < 199 ? [] : [.nestedTooDeeply]))
    }

    @Test("what unfolds to more than a module may hold is refused, and quickly")
    func unfolding() {
        let long = String(repeating: "x", count: 30_000)
        let joins =
            "execution { let a = \"\(long)\";\n" + (0..<2_000).map { "log(a + \"\($0)\");\n" }.joined() + "}"
        #expect(Checked(joins).errors == [.moduleTooLarge])
        let list = "data { x: [\((0..<5_000).map(String.init).joined(separator: ","))] }\nexecution {\n"
        let loops = list + (0..<2_000).map { "for x in data.x { log(\"\($0)\" + x); }\n" }.joined() + "}"
        #expect(Checked(loops).errors == [.moduleTooLarge])
        let short = "data { x: [\((0..<900).map(String.init).joined(separator: ","))] }\nexecution {\n"
        let data = short + (0..<2_000).map { _ in "anchor_data(data.x);\n" }.joined() + "}"
        #expect(Checked(data).errors == [.moduleTooLarge])
        var nested = "execution { let a0 = [1];\n"
        for index in 1...1_000 { nested += "let a\(index) = [a\(index - 1)];\n" }
        #expect(Checked(nested + "anchor_data(a1000); }").errors == [.nestedTooDeeply])
    }

    @Test("warnings give way to errors when there are too many")
    func tooMany() {
        let warnings = (0..<300).map { "let a\($0) = 1;\n" }.joined()
        let checked = Checked("execution {\n\(warnings) log(missing); }")
        #expect(checked.diagnostics.count == Limits.diagnosticCountMax)
        #expect(checked.errors == [.unknownName])
    }

    @Test("spending follows calls, branches and loops")
    func spending() {
        let checked = Checked(
            """
            resources { compute: 100000; cpu: 100 }
            execution {
              for i in range(0, 3) { work(); }
              if check_resource_authorization("cpu", 5) { record_resource_usage("cpu", 5); } else { work(); }
              let sent = submit_job("\(Self.cid)", resource_amount: 7);
              if sent { submit_job("\(Self.cid)", resource_amount: 1000); }
            }
            function work() { perform_action("w", 10); for i in range(0, 2) { record_resource_usage("compute", 1); } }
            """)
        #expect(checked.errors.isEmpty)
        let compute = Spending.Use(resource: "compute", atLeast: 6, atMost: 1015, needed: 1015)
        let cpu = Spending.Use(resource: "cpu", atLeast: 0, atMost: 5, needed: 5)
        #expect(checked.spending.uses == [compute, cpu])
        #expect(checked.spending.submissionsAtLeast == 0 && checked.spending.submissionsAtMost == 2)
        #expect(checked.spending.modules == [Self.cid])
    }

    @Test("what must be allowed at one moment counts beside what is used, and is not used up")
    func asking() {
        let checked = Checked(
            """
            resources { compute: 1000; token: 5; }
            execution {
              perform_action("authorise", 1000);
              submit_job("\(Self.cid)", resource_amount: 1000);
              mint_tokens("receipt", 5, "submitter");
              mint_tokens("receipt", 5, "executor");
            }
            """)
        #expect(checked.diagnostics.isEmpty)
        #expect(
            checked.spending.uses == [
                Spending.Use(resource: "compute", atLeast: 1000, atMost: 1000, needed: 1000),
                Spending.Use(resource: "token", atLeast: 0, atMost: 0, needed: 5),
            ])
        let behind = Checked(
            """
            resources { compute: 1000; }
            execution {
              submit_job("\(Self.cid)", resource_amount: 1);
              perform_action("too late", 1000);
            }
            """)
        #expect(behind.errors == [.overspent])
    }

    @Test(
        "what a host is certain to refuse is refused before",
        arguments: [
            "submit_job(\"CID\", resource_amount: 0);",
            "submit_job(\"bafkreifuy2zi27\", resource_amount: 1);",
            "submit_job(\"CID\", \"\(String(repeating: "x", count: 1025))\", resource_amount: 1);",
            "anchor_data(\"\(String(repeating: "x", count: 4097))\");",
            "anchor_data(\"\(String(repeating: "x", count: 4095))\", path: \"p\");",
            "submit_job(\"CID\", resource_amount: 1, priority: \"soon\");",
        ])
    func certainRefusal(call: String) {
        let checked = Checked("execution { \(call.replacing("CID", with: Self.cid)) }")
        #expect(checked.errors == [.invalidArgument])
    }

    @Test("what the code asks for before it spends cannot be too much")
    func guarded() {
        let checked = Checked(
            """
            resources { compute: 1000; }
            execution { for i in [400, 500, 600] { spend(i); } }
            function spend(amount: integer) {
              if amount > 1 && check_resource_authorization("compute", amount) {
                submit_job("\(Self.cid)", resource_amount: amount);
              }
            }
            """)
        #expect(checked.diagnostics.isEmpty)
        #expect(checked.spending.uses.first?.needed == nil)
    }

    @Test("counts of counts do not overflow")
    func saturation() {
        var source = "execution { " + String(repeating: "for i in range(0, 100000) { ", count: 20)
        source +=
            "record_resource_usage(\"compute\", 9007199254740992);" + String(repeating: "}", count: 20) + "}"
        let checked = Checked(source)
        #expect(checked.errors.isEmpty)
        #expect(checked.spending.uses.first?.atLeast == .max)
    }

    @Test("a declared condition decides what is spent and leaves what follows reachable")
    func declaredConditions() {
        let checked = Checked(
            """
            settings { fast: true }
            function pick() { if settings.fast { return 1; } return 2; }
            execution { if settings.fast { record_resource_usage("compute", pick()); } else { log("slow"); } }
            """)
        #expect(checked.codes == [])
        let missing = Checked(
            "settings { fast: true } function f(): integer { if settings.fast { return 1; } } let x = f(); log(text(x));"
        )
        #expect(missing.errors == [.missingReturn])
    }
}
