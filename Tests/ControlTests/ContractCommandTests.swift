import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@Suite("Commands about contracts", .tags(.Size.medium))
struct ContractCommandTests {
    private static let sound = """
        title: "A job a day";
        execution {
            submit_job(
                wasm_cid: "bafkreifuy2zi27kestz6jpyswkbbgfvriks7joo7jew6a676qa4mtfzeey",
                description: "daily",
                resource_amount: 40,
            );
        }

        """
    /// An unknown function with a near name, a wrong type, an unknown name, and an unused one.
    private static let faulty = """
        execution {
            submit_jbo(wasm_cid: "x");
            let a: integer = "text";
            let unread = 3;
            log(nobody);
        }

        """

    /// Runs a command line where no daemon answers.
    private func offline(_ body: (ScriptedDaemon) throws -> Void) throws {
        let daemon = try ScriptedDaemon()
        defer { daemon.stop() }
        try body(daemon)
        #expect(daemon.requests.isEmpty, "nothing is asked of a daemon")
    }

    private func magic(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }

    private func bytes(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path).map { [UInt8]($0) }
    }

    // MARK: check

    @Test("check says of each file how many errors and warnings it has, and ends with 1 when one has errors")
    func check() throws {
        try offline { daemon in
            let good = try daemon.file("good.ccl", Self.sound)
            let bad = try daemon.file("bad.ccl", Self.faulty)
            let fine = daemon.run("ccl", "check", good)
            #expect(fine.status == 0 && fine.messages.isEmpty, "\(fine)")
            #expect(fine.output == "\(good): 0 errors, 0 warnings\n")
            let both = daemon.run("ccl", "check", good, bad)
            #expect(both.status == 1)
            #expect(both.output == "\(good): 0 errors, 0 warnings\n\(bad): 3 errors, 1 warning\n", "\(both)")
            let warned = try daemon.file("warned.ccl", "execution { let unread = 3; log(\"x\"); }")
            let outcome = daemon.run("ccl", "check", warned)
            #expect(outcome.status == 0)
            #expect(outcome.output == "\(warned): 0 errors, 1 warning\n")
            #expect(outcome.messages.hasPrefix("warning[C250]: "))
        }
    }

    @Test(
        "every diagnostic of one run has its line, its column, a caret under the place and, where known, a hint"
    )
    func diagnostics() throws {
        try offline { daemon in
            let bad = try daemon.file("bad.ccl", Self.faulty)
            let messages = daemon.run("ccl", "check", bad).messages
            #expect(
                messages.contains(
                    """
                    error[C301]: There is no function `submit_jbo`
                      --> \(bad):2:5
                       |
                     2 |     submit_jbo(wasm_cid: "x");
                       |     ^^^^^^^^^^
                    hint: did you mean `submit_job`?

                    """), "\(messages)")
            #expect(messages.contains("\(bad):3:22\n") && messages.contains("\(bad):5:9\n"), "\(messages)")
            let starts = messages.split(separator: "\n").filter {
                $0.hasPrefix("error[") || $0.hasPrefix("warning[")
            }
            #expect(starts.count == 4, "\(starts)")
            let carets = messages.split(separator: "\n").filter { line in
                line.contains("^") && line.allSatisfy { " |^".contains($0) }
            }
            #expect(carets.count == 4)
        }
    }

    @Test("check as JSON lists the files with their diagnostics, field by field, and says nothing else")
    func checkJSON() throws {
        try offline { daemon in
            let bad = try daemon.file("bad.ccl", Self.faulty)
            let outcome = daemon.run("ccl", "check", bad, "-", "-o", "json", input: Self.sound)
            #expect(outcome.status == 1 && outcome.messages.isEmpty, "\(outcome.messages)")
            let files = try #require(try outcome.json() as? [[String: Any]])
            #expect(files.map { $0["file"] as? String } == [bad, "standard input"])
            #expect(files.map { $0["ok"] as? Bool } == [false, true])
            #expect(files.map { $0["errors"] as? Int } == [3, 0])
            #expect(files.map { $0["warnings"] as? Int } == [1, 0])
            let found = try #require(files[0]["diagnostics"] as? [[String: Any]])
            try #require(found.count == 4)
            let keys: Set = [
                "severity", "code", "message", "line", "column", "end_column", "hint", "rendered",
            ]
            #expect(found.allSatisfy { Set($0.keys) == keys })
            let first = try #require(found.first { $0["code"] as? String == "C301" })
            #expect(first["severity"] as? String == "error")
            #expect(first["line"] as? Int == 2 && first["column"] as? Int == 5)
            #expect(first["end_column"] as? Int == 15)
            #expect(first["hint"] as? String == "did you mean `submit_job`?")
            #expect(
                found.contains { $0["severity"] as? String == "warning" && $0["code"] as? String == "C250" })
        }
    }

    @Test(
        "text that cannot be read is told as any error is, whatever its bytes are",
        arguments: [
            ("C102", "a { b: \"x }"), ("C101", "execution { if = 3 { } }"), ("C101", "a {"),
            ("C103", "a: §;"), ("C104", "a: 99999999999999999999;"), ("C109", "title: ${NAME};"),
            ("C106", String(repeating: "a {", count: 200)),
        ])
    func unreadable(code: String, text: String) throws {
        try offline { daemon in
            let outcome = daemon.run("ccl", "check", "-", input: text)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.messages.hasPrefix("error[\(code)]: "), "\(outcome.messages)")
            #expect(outcome.messages.contains("--> standard input:1:"))
        }
    }

    @Test(
        "a file that cannot be read is an error of its own, and no file at all is wrong usage",
        arguments: ["check", "compile", "explain", "fmt", "run"])
    func missing(command: String) throws {
        try offline { daemon in
            let outcome = daemon.run("ccl", command, "/nonexistent/a.ccl")
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            #expect(outcome.messages == "error: cannot read /nonexistent/a.ccl\n")
            let folder = daemon.run("ccl", command, "/")
            #expect(folder.status == 1 && folder.messages == "error: cannot read /\n")
            let none = daemon.run("ccl", command)
            #expect(none.status == 64 && none.output.isEmpty)
            #expect(
                none.messages.hasPrefix("error: meshctl ccl \(command) needs FILE.ccl\n"), "\(none.messages)")
        }
    }

    // MARK: compile

    @Test("compile writes the module beside its source, and says its size and CID on standard error alone")
    func compile() throws {
        try offline { daemon in
            let source = try daemon.file("daily.ccl", Self.sound)
            let outcome = daemon.run("ccl", "compile", source)
            #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome)")
            let path = String(source.dropLast(4)) + ".wasm"
            let module = try #require(bytes(path))
            #expect(magic(module))
            #expect(
                outcome.messages.hasPrefix("\(path): \(module.count) bytes, bafkrei"), "\(outcome.messages)")
            // The same bytes on standard output, and the same from standard input under the same name.
            let printed = daemon.run("ccl", "compile", source, "--output", "-")
            #expect(printed.status == 0 && printed.outputBytes == module)
            #expect(printed.messages.hasPrefix("module: \(module.count) bytes, "))
            let piped = daemon.run("ccl", "compile", "-", input: Self.sound)
            #expect(piped.status == 0 && magic(piped.outputBytes))
            let stripped = daemon.run("ccl", "compile", source, "--strip", "-o", "-")
            #expect(magic(stripped.outputBytes) && stripped.outputBytes.count < module.count)
            let wasi = daemon.run("ccl", "compile", source, "--target", "wasi", "-o", "-")
            #expect(magic(wasi.outputBytes))
            #expect(wasi.outputBytes.contains("wasi_snapshot_preview1".utf8))
            #expect(
                !module.contains("wasi_snapshot_preview1".utf8) && module.contains("host_submit_job".utf8))
        }
    }

    @Test("compile with a source map writes both files, each naming the other")
    func sourceMap() throws {
        try offline { daemon in
            let source = try daemon.file("daily.ccl", Self.sound)
            let map = String(source.dropLast(4)) + ".map"
            let outcome = daemon.run("ccl", "compile", source, "--source-map", map)
            #expect(outcome.status == 0, "\(outcome)")
            let module = try #require(bytes(String(source.dropLast(4)) + ".wasm"))
            #expect(module.contains("sourceMappingURL".utf8) && module.contains("daily.map".utf8))
            let text = try #require(bytes(map))
            let json = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
            #expect(json["version"] as? Int == 3)
            #expect(json["sources"] as? [String] == ["daily.ccl"])
            #expect((json["mappings"] as? String)?.isEmpty == false)
        }
    }

    @Test("compile of a contract with errors tells them all, and leaves what was there before as it was")
    func compileFaulty() throws {
        try offline { daemon in
            let source = try daemon.file("bad.ccl", Self.faulty)
            let before = try daemon.file("bad.wasm", "before")
            for words in [[], ["-o", "-"]] {
                let outcome = daemon.run(words: ["ccl", "compile", source] + words)
                #expect(outcome.status == 1 && outcome.outputBytes.isEmpty)
                for code in ["C301", "C203", "C201"] { #expect(outcome.messages.contains("error[\(code)]")) }
            }
            #expect(bytes(before) == Array("before".utf8))
            let unwritable = daemon.run(
                "ccl", "compile", try daemon.file("a.ccl", Self.sound), "-o", "/nonexistent/a.wasm")
            #expect(unwritable.status == 1)
            #expect(unwritable.messages.contains("error: cannot write /nonexistent/a.wasm\n"))
            let unknown = daemon.run("ccl", "compile", source, "--target", "jvm")
            #expect(unknown.status == 64)
        }
    }

    // MARK: explain

    @Test("explain says in plain words what a contract does, and as JSON in fields")
    func explain() throws {
        try offline { daemon in
            let source = try daemon.file("daily.ccl", Self.sound)
            let words = daemon.run("ccl", "explain", source)
            #expect(words.status == 0 && words.messages.isEmpty)
            #expect(words.output.contains("Submits job \"daily\""), "\(words.output)")
            #expect(words.output.contains("Exactly 40 compute in all"), "\(words.output)")
            #expect(words.output.contains("Submits 1 job in all."), "\(words.output)")
            let outcome = daemon.run("ccl", "explain", source, "-o", "json")
            let json = try #require(try outcome.json() as? [String: Any])
            #expect(
                Set(json.keys) == ["file", "effects", "uses", "submissions", "modules", "events"], "\(json)")
            #expect(json["effects"] as? [String] == words.output.split(separator: "\n").map(String.init))
            #expect(json["submissions"] as? [String: Int] == ["at_least": 1, "at_most": 1])
            #expect(
                json["modules"] as? [String] == [
                    "bafkreifuy2zi27kestz6jpyswkbbgfvriks7joo7jew6a676qa4mtfzeey"
                ])
            let use = try #require((json["uses"] as? [[String: Any]])?.first)
            #expect(use["resource_type"] as? String == "compute" && use["at_least"] as? Int == 40)
            #expect(use["at_most"] as? Int == 40)
            #expect((json["events"] as? [String])?.isEmpty == true)
            let bad = daemon.run("ccl", "explain", try daemon.file("bad.ccl", Self.faulty))
            #expect(bad.status == 1 && bad.output.isEmpty && bad.messages.contains("error[C301]"))
        }
    }

    @Test("errors asked for as JSON are one object on standard error, with every diagnostic")
    func errorsAsJSON() throws {
        try offline { daemon in
            let bad = daemon.run("ccl", "explain", try daemon.file("bad.ccl", Self.faulty), "-o", "json")
            #expect(bad.status == 1 && bad.output.isEmpty)
            let body = try JSONSerialization.jsonObject(with: Data(bad.messages.utf8)) as? [String: Any]
            let error = try #require(body?["error"] as? [String: Any])
            #expect(error["code"] as? String == "C301" || error["code"] as? String == "C203")
            let details = try #require(error["details"] as? [[String: Any]])
            #expect(
                Set(details.compactMap { $0["code"] as? String }).isSuperset(of: ["C301", "C203", "C201"]))
        }
    }

    // MARK: fmt

    @Test(
        "fmt prints the layout, --check names what differs, --write rewrites, and a second time changes nothing"
    )
    func format() throws {
        try offline { daemon in
            let loose = "execution{log( \"a\" )\n  // kept\n}\n"
            let tight = "execution {\n    log(\"a\");\n    // kept\n}\n"
            let path = try daemon.file("loose.ccl", loose)
            let good = try daemon.file("good.ccl", tight)
            let printed = daemon.run("ccl", "fmt", path)
            #expect(printed.status == 0 && printed.output == tight && printed.messages.isEmpty, "\(printed)")
            #expect(bytes(path) == Array(loose.utf8), "printing changes no file")
            let checked = daemon.run("ccl", "fmt", "--check", path, good)
            #expect(checked.status == 1 && checked.output == "\(path)\n")
            #expect(bytes(path) == Array(loose.utf8), "checking changes no file")
            let written = daemon.run("ccl", "fmt", "--write", path, good)
            #expect(written.status == 0 && written.output.isEmpty && written.messages.isEmpty)
            #expect(bytes(path) == Array(tight.utf8))
            let again = daemon.run("ccl", "fmt", "--check", path, good)
            #expect(again.status == 0 && again.output.isEmpty)
            #expect(daemon.run("ccl", "fmt", "-", input: loose).output == tight)
        }
    }

    @Test("fmt leaves a text with faults as it is, and lays the others out all the same")
    func formatFaulty() throws {
        try offline { daemon in
            let bad = try daemon.file("bad.ccl", "a { b: \"x }")
            let loose = try daemon.file("loose.ccl", "a   1")
            let outcome = daemon.run("ccl", "fmt", "-w", bad, loose)
            #expect(outcome.status == 1 && outcome.output.isEmpty)
            #expect(outcome.messages.contains("error[C102]: ") && outcome.messages.contains("\(bad):1:8\n"))
            #expect(outcome.messages.hasSuffix("\(bad): left as it is\n"))
            #expect(bytes(bad) == Array("a { b: \"x }".utf8))
            #expect(bytes(loose) == Array("a: 1;\n".utf8))
            let piped = daemon.run("ccl", "fmt", "-", input: "a { b: \"x }")
            #expect(piped.status == 1 && piped.output.isEmpty)
            #expect(piped.messages.contains("--> standard input:1:8\n"), "\(piped.messages)")
        }
    }

    // MARK: submit-job

    private static let submission: [String: [ControlResponse]] = [
        "POST /v1/blobs": [.json(BlobView(cid: "bafkreicode", size: 8), status: 201)],
        "POST /v1/jobs": [.json(SubmitResponse(jobID: Sample.jobID, manifestCID: "bafyreim"), status: 201)],
        "GET /v1/blobs/bafkreifuy2zi27kestz6jpyswkbbgfvriks7joo7jew6a676qa4mtfzeey": [
            .error(404, APIError(code: "blob.unknown", message: "it is not here"))
        ],
    ]

    @Test("submit-job compiles a contract, gives its job what it is known to use, and says so")
    func submit() throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let source = try daemon.file("daily.ccl", Self.sound)
        let own = try daemon.file("own.wasm", "\0asm")
        for words in [[source], ["--language", "ccl", source], ["--language", "ccl", "--wasm", source]] {
            let before = daemon.requests.count
            let outcome = daemon.run(words: ["submit-job"] + words + ["--module", own])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output == "Job submitted successfully\nJob ID: \(Sample.jobID)\n")
            #expect(outcome.messages.contains("note: the job is given 40 compute"), "\(outcome.messages)")
            // It names a module that was not given, and the daemon does not have it.
            #expect(outcome.messages.contains("warning: the module bafkreifuy2zi27k"), "\(outcome.messages)")
            let uploads = daemon.requests.dropFirst(before).filter { $0.path == "/v1/blobs" }.map(\.body)
            #expect(uploads.count == 2 && uploads.contains(Array("\0asm".utf8)))
            #expect(uploads.contains { magic($0) })
            let request = try #require(try daemon.posted("/v1/jobs", as: SubmitRequest.self).last)
            #expect(request.language == "ccl" && request.wasm == "bafkreicode")
            #expect(request.resourceAmount == 40 && request.description == "A job a day")
        }
        let given = daemon.run("submit-job", source, "--resource-amount", "7", "-d", "mine", "--entry", "run")
        #expect(given.status == 0 && !given.messages.contains("note: the job is given"))
        let request = try #require(try daemon.posted("/v1/jobs", as: SubmitRequest.self).last)
        #expect(request.resourceAmount == 7 && request.description == "mine" && request.entry == "run")
    }

    @Test("submit-job of a contract's handler gives its job what that handler is known to use")
    func submitHandler() throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let handler =
            "on \"late\" {" + Self.sound.split(separator: "{", maxSplits: 1)[1].replacing("40", with: "70")
        let source = try daemon.file("daily.ccl", Self.sound + handler)
        for (flags, amount) in [
            ([], 40), (["--entry", "on:late"], 70), (["--entry", "on:late", "--resource-amount", "9"], 9),
        ] {
            let outcome = daemon.run(words: ["submit-job", source] + flags)
            #expect(outcome.status == 0, "\(outcome)")
            let request = try #require(try daemon.posted("/v1/jobs", as: SubmitRequest.self).last)
            #expect(request.resourceAmount == amount && request.entry == flags.dropFirst().first)
        }
    }

    @Test("submit-job of a contract with errors tells them and uploads nothing")
    func submitFaulty() throws {
        try offline { daemon in
            let outcome = daemon.run("submit-job", try daemon.file("bad.ccl", Self.faulty))
            #expect(outcome.status == 1 && outcome.output.isEmpty)
            #expect(outcome.messages.contains("error[C301]") && outcome.messages.contains("bad.ccl:2:5"))
        }
    }

    @Test(
        "submit-job refuses arguments that contradict each other as wrong usage, with a hint where there is one"
    )
    func conflicts() throws {
        try offline { daemon in
            let source = try daemon.file("daily.ccl", Self.sound)
            let module = try daemon.file("m.wasm", "\0asm\u{1}\0\0\0")
            func refused(_ words: String..., saying text: String) {
                let outcome = daemon.run(words: ["submit-job"] + words)
                #expect(outcome.status == 64 && outcome.output.isEmpty, "\(words): \(outcome)")
                #expect(outcome.messages.contains(text), "\(words): \(outcome.messages)")
            }
            refused(source, "--wasm", module, saying: "are two jobs; give one of them")
            refused("--language", "wasm", source, saying: "hint: --language ccl\n")
            refused(module, saying: "is a module, not a contract\nhint: --language ccl --wasm \(module)\n")
            refused("--language", "ccl", saying: "--language ccl needs a contract")
            refused("--language", "ccl", module, saying: "is a module, not a contract")
        }
    }
}

extension ContractCommandTests {
    private static let graph = """
        {"version": 1, "nodes": [
            { "id": "in", "primitive": "file", "parameters": { "path": "in" } },
            { "id": "one", "primitive": "const_number", "parameters": { "value": 1 } },
            { "id": "more", "primitive": "gt" }, { "id": "when", "primitive": "emit_if_true" },
            { "id": "act", "primitive": "PRIMITIVE", "parameters": { PARAMETERS } }],
        "edges": [
            { "from": "in.size", "to": "more.a" }, { "from": "one.value", "to": "more.b" },
            { "from": "more.result", "to": "when.input" }, { "from": "when.event", "to": "act.event" }]}
        """

    private static func graph(_ primitive: String, _ parameters: String) -> String {
        graph.replacing("PRIMITIVE", with: primitive).replacing("PARAMETERS", with: parameters)
    }

    @Test("submit-job sends a graph with its inputs, by operand or flag")
    func submitGraph() throws {
        let daemon = try ScriptedDaemon(Self.submission)
        defer { daemon.stop() }
        let text = Self.graph("append_file", #""path": "out.txt", "line": "x""#)
        let (graph, input) = (try daemon.file("g.json", text), try daemon.file("in.txt", "1 2"))
        for words in [[graph], ["--wasm", graph]] {
            let outcome = daemon.run(
                words: ["submit-job", "--language", "dataflow", "--input", "in=\(input)", "--arg=--passes=2"]
                    + words)
            #expect(outcome.status == 0, "\(outcome)")
            let request = try #require(try daemon.posted("/v1/jobs", as: SubmitRequest.self).last)
            #expect(request.language == "dataflow" && request.args == ["--passes=2"])
            #expect(request.inputs?.map(\.name) == ["in"] && request.resourceAmount == nil)
            let uploads = daemon.requests.filter { $0.path == "/v1/blobs" }.map(\.body)
            #expect(uploads.contains(Array(text.utf8)) && uploads.contains(Array("1 2".utf8)))
        }
    }

    @Test("submit-job of what cannot be a job says what to write instead, and uploads nothing")
    func submitFaultyGraph() throws {
        try offline { daemon in
            let module = try daemon.file("m.wasm", "\0asm\u{1}\0\0\0")
            let hook = try daemon.file("g.json", Self.graph("webhook", #""url": "https://example.org""#))
            let good = try daemon.file("ok.json", Self.graph("append_file", #""path": "o", "line": "x""#))
            func refused(_ words: String..., status: Int32, saying text: String) {
                let outcome = daemon.run(words: ["submit-job"] + words)
                #expect(outcome.status == status && outcome.output.isEmpty, "\(words): \(outcome)")
                #expect(outcome.messages.contains(text), "\(words): \(outcome.messages)")
            }
            let flow = ["--language", "dataflow"]
            refused(flow[0], flow[1], hook, status: 1, saying: "act: webhook cannot be part of a job")
            refused(flow[0], flow[1], hook, status: 1, saying: "hint: write the body with append_file")
            refused(flow[0], flow[1], module, status: 1, saying: "hint: --language wasm runs it")
            refused(flow[0], flow[1], good, "--arg", "x", status: 1, saying: "no argument but --passes N")
            refused(flow[0], flow[1], status: 64, saying: "--language dataflow needs a graph")
            refused(flow[0], flow[1], good, "-w", good, status: 64, saying: "are two jobs")
            refused(good, status: 64, saying: "hint: --language dataflow submits a graph")
            refused("--language", "wasm", good, status: 64, saying: "hint: --language dataflow")
        }
    }
}

extension Collection where Element == UInt8 {
    /// Whether these bytes stand in it somewhere.
    fileprivate func contains(_ text: String.UTF8View) -> Bool { !ranges(of: Array(text)).isEmpty }
}
