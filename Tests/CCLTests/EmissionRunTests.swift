internal import CCL
internal import MeshCore
internal import Testing

/// Programs that cover every kind of value and instruction, run as modules and by the twin.
@Suite(
    "Contracts as modules that run", .enabled(if: EmissionTools.wasmkit != nil, EmissionTools.wasmkitMissing))
struct EmissionRunTests {
    @Test(
        "Every program of the library prints what the twin prints",
        arguments: EmissionLibrary.programs.indices)
    func library(index: Int) throws {
        let entry = EmissionLibrary.programs[index]
        try EmissionTools.expectTwin(entry.program, entry.name)
    }

    @Test("Integer arithmetic gives, or refuses, what 64 bits can hold")
    func integers() throws {
        let edges: [Int64] = [
            .min, .min + 1, -2, -1, 0, 1, 2, .max - 1, .max, 1 << 32, -(1 << 32), 3_037_000_500,
        ]
        for operation in [BinaryOperator.add, .subtract, .multiply, .divide, .remainder] {
            // One run holds the cases that do not fail; each that does has a run of its own.
            var fine: [Instruction] = []
            var failures = 0
            for left in edges {
                for right in edges {
                    for isConstant in [false, true] {
                        let value = Value.arithmetic(
                            operation, .local(0, .integer), isConstant ? .integer(right) : .local(1, .integer)
                        )
                        let steps: [Instruction] = [
                            .set(0, .integer(left)), .set(1, .integer(right)), .log(.text(value)),
                        ]
                        let program = Program.main([.integer, .integer], steps)
                        if try EmissionTwin.run(program).isTrapped {
                            failures += 1
                            // Each is a process of its own; the twin sees all of them, a runtime some.
                            if failures % 7 == 0 {
                                try EmissionTools.expectTwin(
                                    program, "\(left) \(operation.rawValue) \(right)")
                            }
                        } else {
                            fine += steps
                        }
                    }
                }
            }
            try EmissionTools.expectTwin(.main([.integer, .integer], fine), operation.rawValue)
        }
    }

    @Test("Decimals round, are compared and leave remainders as IEEE 754 says")
    func decimals() throws {
        let edges: [Double] = [
            0, -0.0, 0.5, -0.5, 0.49999999999999994, 1.5, 2.5, -2.5, 1e6, -1e6, 0x1p52 + 1, 0x1p62, -0x1p63,
            .leastNonzeroMagnitude,
            1e308, 0.1, 3,
        ]
        var body: [Instruction] = []
        for left in edges {
            body.append(.set(0, .decimal(left)))
            for rounding in [Rounding.nearest, .down, .up] where left.magnitude <= 0x1p63 {
                body.append(.log(.text(.rounded(rounding, .local(0, .decimal)))))
            }
            for right in edges {
                body.append(.set(1, .decimal(right)))
                let (a, b) = (Value.local(0, .decimal), Value.local(1, .decimal))
                for comparison in [
                    BinaryOperator.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
                ] {
                    body.append(.when(.not(.comparison(comparison, a, b)), [.log(comparison.rawValue)]))
                }
                guard right != 0 else { continue }
                for operation in [BinaryOperator.divide, .remainder] {
                    // Bits are not printed: the value is compared with what the twin computes.
                    let expected =
                        operation == .divide ? left / right : left.truncatingRemainder(dividingBy: right)
                    body.append(
                        .log(.text(.comparison(.equal, .arithmetic(operation, a, b), .decimal(expected)))))
                }
            }
        }
        try EmissionTools.expectTwin(.main([.decimal, .decimal], body), "decimals")
        for value in [0x1p63, -0x1p63 - 2048, .nan, .infinity, -.infinity, 1e300] {
            try EmissionTools.expectTwin(
                .main(
                    [.decimal], [.set(0, .decimal(value)), .log(.text(.rounded(.down, .local(0, .decimal))))]),
                "rounding \(value)")
        }
        for operation in [BinaryOperator.divide, .remainder] {
            try EmissionTools.expectTwin(
                .main(
                    [.decimal],
                    [
                        .set(0, .decimal(0)),
                        .at(9, .set(local: 0, .arithmetic(operation, .decimal(1), .local(0, .decimal)))),
                    ]), "\(operation.rawValue) by zero")
        }
        for (left, right) in [(Double.infinity, 1.0), (1, .infinity), (1, .nan), (.nan, 1)] {
            try EmissionTools.expectTwin(
                .main(
                    [.decimal, .decimal],
                    [
                        .set(0, .decimal(left)),
                        .set(1, .arithmetic(.remainder, .local(0, .decimal), .decimal(right))),
                        .log(.text(.comparison(.equal, .local(1, .decimal), .local(1, .decimal)))),
                        .log(.text(.comparison(.equal, .local(1, .decimal), .local(0, .decimal)))),
                    ]), "remainder of \(left) by \(right)")
        }
    }

    @Test("A text built piece by piece outgrows the first page of memory and stays whole")
    func growth() throws {
        let body: [Instruction] = [
            .set(1, .string("")),
            .count(
                0, .integer(0), .integer(4_000),
                [
                    .set(1, .joined(.joined(.local(1, .string), .text(.local(0, .integer))), .string(","))),
                    .when(
                        .comparison(
                            .equal, .arithmetic(.remainder, .local(0, .integer), .integer(800)), .integer(0)),
                        [.set(2, .joined(.local(1, .string), .string("|")))]),
                ]),
            .log(.text(.length(.local(1, .string)))),
            .log(.local(2, .string)),
            .log(.text(.comparison(.equal, .local(1, .string), .local(2, .string)))),
        ]
        try EmissionTools.expectTwin(.main([.integer, .string, .string], body), "growth")
    }

    @Test("A run that asks for more memory than there can be ends")
    func exhaustion() throws {
        let body: [Instruction] = [
            .set(1, .string("0123456789abcdef")),
            .count(
                0, .integer(0), .integer(40),
                [.set(1, .joined(.local(1, .string), .joined(.string("-"), .local(1, .string))))]),
            .log("not reached"),
        ]
        let module = try Contract.emit(
            .main([.integer, .string], body), options: EmissionOptions(target: .wasi)
        ).get()
        // Cut short: a memory of two pages at most stands in for four gigabytes.
        var bytes = module.bytes
        let limit = try #require(bytes.firstRange(of: [0xff, 0xff, 0x03])).lowerBound
        bytes.replaceSubrange(limit..<limit + 3, with: [0x82, 0x80, 0x00])
        let answer = try EmissionTools.run(EmissionTools.wasmkit ?? "", ["run"], on: bytes)
        #expect(answer.status != 0 && answer.output.isEmpty)
        #expect(answer.errors.contains("unreachable"), "\(answer.errors)")
    }

    @Test("Handlers of one event all run, and a handler may be the main function's too")
    func handlers() throws {
        let program = Program.test(
            [
                .test("main", [.log("main"), .at(1, .evaluate(.call(1)))]),
                .test("on:vote", [.log("first")]), .test("on:vote", [.log("second")]),
            ], handlers: [("vote", 1), ("vote", 2)])
        try EmissionTools.expectTwin(program, "handlers")
        let module = try ModuleReader(Contract.emit(program).get().bytes)
        #expect(module.exports.map(\.name) == ["memory", "run", "_start", "on:vote"])
        let both = try #require(module.exports.last)
        // Two calls and the end.
        #expect(module.codes[both.index - module.imports.count].count == 6)
    }
}

extension Function {
    static func test(_ name: String, _ body: [Instruction]) -> Function { .test(name, [], body) }
}
