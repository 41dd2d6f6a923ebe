internal import CCL
internal import MeshCore
internal import Testing

@Suite("Contracts from text to module")
struct EmissionCompileTests {
    private static let document = """
        execution {
          // Submit a computation job
          submit_job(
            wasm_cid: "bafybeih7q27itb576mtmy5yzggkfzqnfj5dis4h2og6epvyvjyvcedwmze",
            description: "Data processing task",
            resource_type: "compute",
            resource_amount: 1000,
            priority: "medium"
          );
        }
        """

    @Test("The published contract compiles to a module of at most 400 bytes without names")
    func document() throws {
        let compilation = Contract.compile(Array(Self.document.utf8), options: EmissionOptions(names: false))
        #expect(!compilation.hasErrors, "\(compilation.diagnostics)")
        let module = try #require(compilation.module)
        #expect(module.bytes.count <= 300, "\(module.bytes.count)")
        let reader = try ModuleReader(module.bytes)
        #expect(reader.imports.map(\.name).contains("host_submit_job"))
        #expect(reader.sections.map(\.number) == [1, 2, 3, 5, 7, 10, 11])
        try EmissionTools.expectValid(module.bytes, "the published contract")
    }

    @Test(
        "Every sound contract of the collection compiles, is valid and prints what the twin prints",
        .enabled(if: EmissionTools.wasmkit != nil, EmissionTools.wasmkitMissing),
        arguments: CheckingGolden.names.filter { !$0.hasPrefix("fault-") })
    func collection(name: String) throws {
        let source = Array(try CheckingGolden.text(name + ".ccl").utf8)
        let compilation = Contract.compile(source, name: name, options: EmissionOptions(sourceMap: name))
        // A contract with mistakes is no subject of this test.
        guard let module = compilation.module, let program = compilation.program else {
            #expect(compilation.hasErrors)
            return
        }
        try EmissionTools.expectValid(module.bytes, name)
        try EmissionTools.expectTwin(program, name)
    }

    @Test(
        "A text with a mistake gives a diagnostic and no module",
        arguments: [
            "execution { submit_job(", "execution { log(1 + nothing); }", "execution { log(\"a\" / 2); }",
        ])
    func mistakes(text: String) {
        let compilation = Contract.compile(Array(text.utf8))
        #expect(compilation.hasErrors && compilation.module == nil && compilation.program == nil)
    }

    @Test(
        "A contract from its text prints as a module what the twin prints of its program",
        .enabled(if: EmissionTools.wasmkit != nil, EmissionTools.wasmkitMissing),
        arguments: EmissionTexts.all)
    func run(text: String) throws {
        let compilation = Contract.compile(
            Array(text.utf8), name: "text.ccl", options: EmissionOptions(target: .wasi))
        #expect(!compilation.hasErrors, "\(compilation.diagnostics)")
        let module = try #require(compilation.module)
        try EmissionTools.expectValid(module.bytes, text)
        try EmissionTools.expectTwin(try #require(compilation.program), text)
    }
}

/// Contracts as people write them.
enum EmissionTexts {
    static let all: [String] = [
        """
        resources { compute: 1000; }
        function fits(amount, label) {
          if amount > 500 { log("much " + label); return false; }
          return check_resource_authorization("compute", amount);
        }
        function label(i) { return "piece " + i; }
        execution {
          let total = 0;
          for i in range(0, 5) {
            let amount = (i + 1) * 100;
            if fits(amount, label(i)) && i != 3 { record_resource_usage("compute", 1); total = total + amount; }
            else { log("left out " + label(i)); }
          }
          log("total " + total);
          for name in ["a", "bc", "def"] { anchor_data(name, path: "x/" + name); }
          let waited = 90s * total;
          log("waited " + waited + ", " + (total > 100));
          log(text(round(total * 0.4)) + " " + min(total, 7) + " " + length("grün"));
          require(total < 100, "too much: " + total);
          log("not reached");
        }
        """,
        """
        execution {
          let small = 0;
          for i in range(0, 3) { small = small - i; }
          log("fine so far");
          log(text(10 / (small + 3)));
        }
        """,
        """
        execution {
          if check_resource_authorization("compute", 5) { perform_action("compute_hash", 5); }
          require(1 < 2 || anchor_data("never"));
          let factor = 1;
          for i in range(0, 100) { factor = factor * 3; log("3^" + (i + 1) + " = " + factor); }
        }
        on "job.done" { log("done"); }
        """,
        """
        function choose(n) { if n % 2 == 0 { return "even"; } else if n == 3 { return "three"; } else { return "odd"; } }
        execution {
          for n in [1, 2, 3] { for m in [true, false] { log(choose(n) + " " + m + " " + (m == (n < 3))); } }
          for d in [0.5, 1.5, 2.5] { log("" + round(d) + floor(d) + ceil(d)); }
          fail("that was all");
        }
        """,
    ]
}
