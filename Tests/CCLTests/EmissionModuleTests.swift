@testable internal import CCL
internal import IPLD
internal import MeshCore
internal import Testing

@Suite("Contracts as modules")
struct EmissionModuleTests {
    static let options: [EmissionOptions] = EmissionOptions.Target.allCases.flatMap { target in
        [
            EmissionOptions(names: true, target: target, sourceMap: "a.ccl", mapURL: "a.map"),
            EmissionOptions(names: false, target: target),
        ]
    }

    @Test(
        "Every module of the library is valid, with and without names, for the mesh and for WASI",
        .enabled(if: EmissionTools.validate != nil, EmissionTools.validateMissing),
        arguments: EmissionLibrary.programs.indices)
    func valid(index: Int) throws {
        let entry = EmissionLibrary.programs[index]
        for options in Self.options {
            let module = try Contract.emit(entry.program, options: options).get()
            try EmissionTools.expectValid(module.bytes, "\(entry.name), \(options)")
            #expect(try Contract.emit(entry.program, options: options).get() == module)
        }
    }

    @Test("The published contract with one job is a module of well under 400 bytes")
    func oneJob() throws {
        let module = try Contract.emit(EmissionLibrary.oneJob, options: EmissionOptions(names: false)).get()
        #expect(module.bytes.count == 221)
        let reader = try ModuleReader(module.bytes)
        #expect(reader.imports.map(\.name) == ["host_submit_job"])
        #expect(reader.sections.map(\.number) == [1, 2, 3, 5, 7, 10, 11])
        #expect(reader.memory == (1, nil))
        #expect(reader.data.count == 59 + 20 + 7 + 6)
    }

    @Test("Imports come in the published order, and only those that are used")
    func imports() throws {
        let program = Program.main(
            [],
            [
                .when(
                    .host(.submitJob, .string("a"), .string("b"), .string("c"), .integer(1), .string("d")), []
                ),
                .log("x"),
            ])
        let reader = try ModuleReader(Contract.emit(program).get().bytes)
        #expect(reader.imports.map(\.name) == ["host_log_message", "host_submit_job"])
        #expect(reader.imports.allSatisfy { $0.module == "host" })
        let shapes = reader.imports.map { reader.types[$0.type] }
        #expect(shapes[0].parameters == [0x7f, 0x7f] && shapes[0].results.isEmpty)
        #expect(shapes[1].parameters == [0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7e, 0x7f, 0x7f])
        #expect(shapes[1].results == [0x7f])
        #expect(reader.exports.map(\.name) == ["memory", "run", "_start"])
        #expect(reader.exports[1].index == reader.exports[2].index && reader.exports[1].index == 2)
    }

    @Test("What nothing calls is not in the module: no function, no type, no string")
    func unused() throws {
        let used = Program.test([.test("main", [.log("said")])])
        let more = Program.test([
            .test("main", [.log("said")]),
            .test(
                "idle", [.integer], parameters: 1, result: .decimal, [.log("unsaid"), .result(.decimal(1))]),
        ])
        #expect(try Contract.emit(used).get() == Contract.emit(more).get())
    }

    @Test("The name section names the module, its functions and what they hold")
    func names() throws {
        let program = Program.test([
            .test(
                "main", [.integer, .decimal, .string],
                [
                    .set(0, .integer(1)), .set(2, .string("s")),
                    .log(.text(.call(1, [.local(0, .integer)], gives: .integer))),
                    .log(.local(2, .string)),
                ]),
            .test(
                "twice", [.integer, .boolean, .integer], parameters: 1, result: .integer,
                [
                    .set(1, .boolean(true)), .set(2, .local(0, .integer)),
                    .result(.arithmetic(.add, .local(0, .integer), .local(2, .integer))),
                ]),
        ])
        let reader = try ModuleReader(Contract.emit(program).get().bytes)
        #expect(reader.moduleName == "contract.ccl")
        #expect(reader.functionNames[0] == "host_log_message")
        #expect(reader.functionNames[1] == "main" && reader.functionNames[2] == "twice")
        #expect(Set(reader.functionNames.values).isSuperset(of: ["ccl.add", "ccl.fail", "ccl.integerText"]))
        #expect(reader.functionNames.count == reader.imports.count + reader.functions.count)
        // What never gets a value is not there; integers come before booleans.
        #expect(reader.localNames == [1: [0: "v0", 1: "v2"], 2: [0: "v0", 1: "v2", 2: "v1"]])
        let bare = try ModuleReader(
            Contract.emit(program, options: EmissionOptions(names: false)).get().bytes)
        #expect(bare.sections.allSatisfy { $0.number != 0 })
    }

    @Test("A string lies once in the data, and one that occurs in another lies there")
    func strings() throws {
        let texts = ["compute", "the compute of it", "put", "compute", "t", "computer", "e\u{301}", "\u{e9}"]
        let reader = try ModuleReader(Contract.emit(.main([], texts.map { .log($0) })).get().bytes)
        #expect(reader.data.count == "the compute of it".utf8.count + "computer".utf8.count + 3 + 2)
    }

    @Test("Sharing finds every string that occurs in another, of texts from seeds", arguments: 1...30)
    func sharing(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var pool = StringPool()
        var texts: [String] = []
        for _ in 0..<40 {
            // Few letters, so that much occurs within others.
            let text = String(
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    "abü".randomElement(using: &generator) ?? "a"
                })
            texts.append(text)
            #expect(pool.number(of: text) == texts.firstIndex(of: text).map { pool.number(of: texts[$0]) })
        }
        let (addresses, bytes) = pool.layout()
        let unique = Set(texts)
        var needed = 0
        for text in unique {
            let utf8 = Array(text.utf8)
            let address = addresses[pool.number(of: text)]
            #expect(Array(bytes[address..<address + utf8.count]) == utf8)
            if !unique.contains(where: { $0 != text && $0.contains(text) }) { needed += utf8.count }
        }
        #expect(bytes.count == needed, "seed \(seed)")
    }

    @Test("A hundred thousand strings that are alike for long are shared in bounded effort")
    func manyStrings() {
        var pool = StringPool()
        for index in 0..<20_000 { _ = pool.number(of: "a message that begins like all the others, \(index)") }
        let alike = String(repeating: "a", count: 30_000)
        for index in 0..<30 { _ = pool.number(of: alike + "b\(index)") }
        let (addresses, bytes) = pool.layout()
        #expect(addresses.count == 20_030 && bytes.count <= pool.bytes.count)
    }

    @Test("The source map leads from the module's bytes to the lines of the text")
    func sourceMap() throws {
        let program = Program.main(
            [.integer],
            [
                .at(3, .set(local: 0, .integer(1))), .at(70, .evaluate(.host(.anchorToDAG, .string("a")))),
                .at(
                    12,
                    .each(
                        local: 0, [.integer(1), .integer(2)],
                        body: [.at(13, .evaluate(.host(.logMessage, .text(.local(0, .integer)))))])),
            ])
        let options = EmissionOptions(sourceMap: "dir/\"a\".ccl", mapURL: "a.map")
        let module = try Contract.emit(program, options: options).get()
        let reader = try ModuleReader(module.bytes)
        let url = try #require(reader.sections.last)
        #expect(url.name == "sourceMappingURL" && url.content == [5] + Array("a.map".utf8))
        let map = try #require(module.sourceMap)
        #expect(map.hasPrefix(#"{"version":3,"sources":["dir/\"a\".ccl"],"names":[],"mappings":""#))
        let mappings = try SourceMapReader.read(map)
        try #require(mappings.map(\.line) == [3, 70, 12, 13, 12, 13, nil])
        #expect(mappings.map(\.column) == [3, 3, 3, 3, 3, 3, nil])
        // Main is function 0; its instructions stand behind how many locals there are.
        let start = reader.codeStarts[0]
        let offsets = mappings.map { $0.offset - start }
        #expect(offsets == offsets.sorted() && Set(offsets).count == offsets.count)
        let code = reader.codes[0]
        #expect(Array(code[offsets[0]..<offsets[1]]) == [0x42, 1, 0x21, 0])
        #expect(code[offsets[1]] == 0x41 && code[offsets[2]] == 0x42)
        #expect(mappings[6].offset >= start + code.count)
        #expect(try Contract.emit(program).get().sourceMap == nil)
    }

    @Test("What a contract declares stands in the section ccl as canonical DAG-CBOR")
    func declarations() throws {
        var program = Program.main([], [])
        #expect(
            try ModuleReader(Contract.emit(program, options: EmissionOptions(names: false)).get().bytes)
                .sections.allSatisfy { $0.number != 0 })
        program.limits = [
            ResourceLimit(resource: "compute", amount: 1000), ResourceLimit(resource: "x", amount: nil),
        ]
        program.requirements.memoryMiB = 64
        program.requirements.location = "eu"
        program.declarations = [
            Declaration(
                name: "budget",
                values: [.string("b"), .integer(-1), .decimal(0.5), .boolean(true), .duration(5)],
                members: [
                    Declaration(
                        name: "list",
                        values: [.list([.text("ctx.x"), .object([Declaration(name: "k", values: [])])])]),
                    Declaration(name: "odd", values: [.decimal(.infinity)]),
                ])
        ]
        let reader = try ModuleReader(Contract.emit(program).get().bytes)
        #expect(reader.sections.map(\.name).filter { !$0.isEmpty } == ["ccl", "name"])
        let section = try #require(reader.sections.first { $0.name == "ccl" })
        let value = try IPLDValue(decoding: section.content)
        func entry(_ key: String, _ value: IPLDValue) -> IPLDValue.Entry { .init(key: key, value: value) }
        let text = IPLDValue.text
        func integer(_ value: Int) -> IPLDValue {
            .integer(negative: value < 0, magnitude: UInt64(value < 0 ? ~value : value))
        }
        #expect(
            value
                == .map([
                    entry(
                        "limits",
                        .list([
                            .map([entry("amount", integer(1000)), entry("resource", text("compute"))]),
                            .map([entry("resource", text("x"))]),
                        ])),
                    entry("version", integer(1)),
                    entry(
                        "declarations",
                        .list([
                            .map([
                                entry("name", text("budget")),
                                entry(
                                    "values",
                                    .list([
                                        text("b"), integer(-1), .double(0.5), .bool(true),
                                        .map([entry("ms", integer(5))]),
                                    ])),
                                entry(
                                    "members",
                                    .list([
                                        .map([
                                            entry("name", text("list")),
                                            entry(
                                                "values",
                                                .list([
                                                    .list([
                                                        .map([entry("text", text("ctx.x"))]),
                                                        .map([
                                                            entry(
                                                                "members",
                                                                .list([.map([entry("name", text("k"))])]))
                                                        ]),
                                                    ])
                                                ])),
                                        ]),
                                        .map([
                                            entry("name", text("odd")),
                                            entry("values", .list([.map([entry("text", text("inf"))])])),
                                        ]),
                                    ])),
                            ])
                        ])),
                    entry(
                        "requirements",
                        .map([entry("location", text("eu")), entry("memory_mib", integer(64))])),
                ]))
    }

    @Test("Declarations nest as deeply as a decoder reads, and are refused where they would not be read")
    func nesting() throws {
        func nested(_ depth: Int, _ values: [DeclaredValue]) -> Declaration {
            (1..<depth).reduce(Declaration(name: "in", values: values)) { inner, _ in
                Declaration(name: "out", values: [], members: [inner])
            }
        }
        for depth in 28...34 {
            for values: [DeclaredValue] in [
                [], [.integer(1)], [.duration(1)], [.list([.list([.integer(1)])])],
                [.object([Declaration(name: "n", values: [])])],
            ] {
                var program = Program.main([], [])
                program.declarations = [nested(depth, values)]
                switch Contract.emit(program) {
                case .success(let module):
                    let section = try ModuleReader(module.bytes).sections.first { $0.name == "ccl" }
                    #expect(throws: Never.self) { try IPLDValue(decoding: section?.content ?? []) }
                case .failure(let diagnostic):
                    #expect(diagnostic.code == .nestedTooDeeply && depth > 29, "\(depth) \(values)")
                }
            }
        }
    }

    @Test("A module beyond the limit, or a function beyond what engines take, is C503")
    func tooLarge() {
        let text = String(repeating: "x", count: 60_000)
        let strings = Program.main([], (0..<80).map { .log("\($0)" + text) })
        let locals = Program.main(
            [ValueType](repeating: .integer, count: 50_001), (0..<50_001).map { .set($0, .integer(1)) })
        let code = Program.main([.integer], (0..<700_000).map { _ in .set(0, .integer(.max - 1)) })
        for program in [strings, locals, code] {
            guard case .failure(let diagnostic) = Contract.emit(program) else {
                Issue.record("a module came out")
                continue
            }
            #expect(diagnostic.code == .moduleTooLarge)
        }
    }

    @Test("What nests as deeply as checking lets through is emitted on a small stack")
    func depth() throws {
        let x = Value.local(0, .integer)
        let sum = (0..<600).reduce(x) { .arithmetic(.subtract, .integer(Int64($1)), $0) }
        let condition = (0..<600).reduce(Value.comparison(.less, x, .integer(3))) { inner, index in
            index % 2 == 0 ? .not(inner) : .or(.host(.anchorToDAG, .string("a")), inner)
        }
        let blocks = (0..<600).reduce([Instruction.log("deep")]) { inner, index in
            switch index % 3 {
            case 0: [.when(.comparison(.equal, x, .integer(1)), inner, else: [.log("not")])]
            case 1: [.each(0, [x, .integer(2), .integer(3), .integer(4)], inner)]
            default: [.count(0, .integer(0), x, inner)]
            }
        }
        let chain = (0..<600).reduce([Instruction.log("last")]) { rest, index in
            [.when(.comparison(.equal, x, .integer(Int64(index))), [.log("link")], else: rest)]
        }
        let program = Program.main(
            [.integer, .boolean],
            [.set(0, sum), .set(1, condition), .log(.text(.local(1, .boolean)))] + blocks + chain)
        for options in Self.options {
            try EmissionTools.expectValid(Contract.emit(program, options: options).get().bytes, "\(options)")
        }
    }
}
