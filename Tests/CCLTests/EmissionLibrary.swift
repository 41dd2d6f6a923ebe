internal import CCL
internal import MeshCore

/// Programs that together use every kind of value and instruction, and every shape that the emitter chooses.
enum EmissionLibrary {
    static let document = "bafybeih7q27itb576mtmy5yzggkfzqnfj5dis4h2og6epvyvjyvcedwmze"

    /// The contract that the language was published with: one job, in the shape that the checker gives it.
    static let oneJob = Program.main(
        [],
        [
            .require(
                .host(
                    .submitJob, .string(document), .string("Data processing task"), .string("compute"),
                    .integer(1000),
                    .string("medium")))
        ])

    private static let yes = Value.host(.anchorToDAG, .string("yes"))
    private static let x = Value.local(0, .integer)
    private static let s = Value.local(0, .string)

    static let programs: [(name: String, program: Program)] = [
        ("one job", oneJob),
        ("nothing", .main([], [])),
        (
            "every host function",
            .main(
                [.string, .integer],
                [
                    .set(0, .joined(.string("a"), .text(.integer(-5)))), .set(1, .integer(7)),
                    .log(.local(0, .string)), .log(.joined(.local(0, .string), .string("ü\t\n"))),
                    .at(1, .evaluate(.host(.anchorToDAG, .local(0, .string)))),
                    .at(1, .evaluate(.host(.recordResourceUsage, .local(0, .string), .local(1, .integer)))),
                    .when(
                        .host(.checkResourceAuthorization, .string("cpu"), .integer(.max)), [.log("granted")]),
                    .at(
                        1,
                        .evaluate(
                            .host(
                                .submitJob, .local(0, .string), .string(""), .local(0, .string),
                                .integer(.min), .string("low")))),
                ])
        ),
        (
            "constants",
            .main(
                [],
                [
                    Int64.min, -1, 0, 63, 64, -64, -65, 1 << 40, 3 << 50, .max, 0xffff_ffff, -(1 << 33),
                ].map { Instruction.log(.text(.integer($0))) }
                    + [true, false].map { .log(.text(.boolean($0))) }
                    + [0, 1500, -3, .min].map { .log(.text(.duration($0))) } + [.log(.text(.string("same")))])
        ),
        (
            "decimal constants",
            .main(
                [.decimal],
                [
                    0.0, -0.0, 1, -7, 0.5, 0.1, 1e300, 0x1p31, -0x1p31, 16_777_217, .pi,
                ].flatMap { value -> [Instruction] in
                    [
                        .set(0, .decimal(value)),
                        // Times a large number, so that the last bits show.
                        .when(
                            .comparison(.less, .local(0, .decimal), .decimal(1e10)),
                            [
                                .log(
                                    .text(
                                        .rounded(
                                            .nearest,
                                            .arithmetic(.multiply, .local(0, .decimal), .decimal(1e8)))))
                            ]),
                    ]
                })
        ),
        (
            "strings that are equal by their bytes alone",
            .main(
                [.string, .string],
                [
                    .set(0, .string("e\u{301}")), .set(1, .string("\u{e9}")), .log(.local(0, .string)),
                    .log(.local(1, .string)),
                    .log(.text(.comparison(.equal, .local(0, .string), .local(1, .string)))),
                    .set(1, .joined(.string("e"), .string("\u{301}"))),
                    .log(.text(.comparison(.equal, .local(0, .string), .local(1, .string)))),
                    .log(.text(.comparison(.notEqual, .local(0, .string), .string("e\u{302}")))),
                    .log(.text(.comparison(.equal, .local(0, .string), .string("")))),
                    .log(.text(.comparison(.notEqual, .string(""), .string("")))),
                    .log(.text(.length(.local(0, .string)))), .log(.text(.length(.string("ü")))),
                ])
        ),
        (
            "strings within strings",
            .main(
                [.string],
                [
                    .log("compute"), .log("the compute of it"), .log("put"), .log("t"), .log("it"),
                    .log("pute"),
                    .set(0, .string("compute of")), .log(.joined(s, .string(""))),
                    .log(.joined(.string(""), s)),
                    .log(.joined(s, s)), .log(.joined(.joined(s, s), .joined(s, .text(.boolean(true))))),
                ])
        ),
        (
            "conditions",
            .test([
                .test(
                    "main", [.boolean, .integer],
                    [
                        .set(0, .boolean(true)), .set(1, .integer(3)),
                    ]
                        + conditions.flatMap { condition -> [Instruction] in
                            [
                                .when(condition, [.log("then")], else: [.log("else")]),
                                .when(condition, [], else: [.log("only else")]),
                                .when(.not(condition), [.log("negated")]),
                                .when(condition, []),
                                .set(0, condition), .log(.text(.local(0, .boolean))),
                                .log(.text(.not(condition))), .log(.text(.and(condition, yes))),
                                .log(.text(.or(condition, .not(yes)))),
                                .set(0, .boolean(true)),
                            ]
                        }),
                .test(
                    "isOdd", [.integer], parameters: 1, result: .boolean,
                    [
                        .log(.text(x)),
                        .result(.comparison(.equal, .arithmetic(.remainder, x, .integer(2)), .integer(1))),
                    ]),
            ])
        ),
        (
            "a chain of else if",
            .main(
                [.integer],
                [
                    .count(
                        0, .integer(0), .integer(6),
                        [
                            .when(
                                .comparison(.equal, x, .integer(0)), [.log("zero")],
                                else: [
                                    .when(
                                        .comparison(.equal, x, .integer(1)), [],
                                        else: [
                                            .when(
                                                .comparison(.less, x, .integer(4)), [.log("few")],
                                                else: [
                                                    .log("many"),
                                                    .when(
                                                        .comparison(.equal, x, .integer(5)), [.log("five")]),
                                                ])
                                        ])
                                ])
                        ])
                ])
        ),
        (
            "counting",
            .main(
                [.integer, .integer, .integer],
                [
                    .count(0, .integer(-2), .integer(2), [.log(.text(x))]),
                    .count(0, .integer(2), .integer(2), [.log("never")]),
                    .set(1, .integer(4)),
                    .count(
                        0, .integer(1), .local(1, .integer),
                        [
                            .count(2, x, .integer(3), [.log(.joined(.text(x), .text(.local(2, .integer))))]),
                            .set(1, .integer(0)),
                        ]),
                    .count(0, .local(1, .integer), .integer(2), [.log(.text(x))]),
                    .count(0, .integer(.max - 2), .integer(.max), [.log(.text(x))]),
                ])
        ),
        (
            "a counter that the body changes",
            .main(
                [.integer, .integer],
                [
                    .count(
                        0, .integer(0), .integer(3), [.log(.text(x)), .set(0, .integer(100)), .log(.text(x))]),
                    .count(
                        1, .integer(0), .integer(2),
                        [.count(1, .integer(5), .integer(7), [.log(.text(.local(1, .integer)))])]),
                ])
        ),
        (
            "lists",
            .main(
                [.integer, .string, .decimal, .boolean, .duration],
                [
                    .each(0, [], [.log("never")]),
                    .each(0, [.integer(9)], [.log(.text(x))]),
                    .each(0, [.integer(1), .integer(-2)], [.log(.text(x))]),
                    .each(0, [.integer(1), .integer(2), .integer(3)], [.at(8, .evaluate(yes))]),
                    .each(
                        1, ["a", "bc", "", "abc"].map { .string($0) },
                        [
                            .log(.local(1, .string)), .log(.joined(.local(1, .string), .string("!"))),
                            .log("c"), .log("d"),
                        ]),
                    .each(
                        2, [0.5, 1.5, -2.5, 1e9, 7].map { .decimal($0) },
                        [
                            .log(.text(.rounded(.nearest, .local(2, .decimal)))),
                            .log(.text(.rounded(.up, .local(2, .decimal)))),
                            .log(.text(.rounded(.down, .local(2, .decimal)))), .log("e"),
                        ]),
                    .each(
                        3, [true, false, true, true].map { .boolean($0) },
                        [
                            .when(.local(3, .boolean), [.log("on")], else: [.log("off")]), .log("f"),
                            .log("g"), .log("h"),
                        ]),
                    .each(
                        4, [1, 2, 3, 4, 5].map { .duration($0) },
                        [
                            .log(.text(.local(4, .duration))), .log("i"), .log("j"), .log("k"),
                        ]),
                ])
        ),
        (
            "lists of what is computed",
            .main(
                [.integer, .string, .integer],
                [
                    .set(2, .integer(10)),
                    .each(
                        1,
                        (0..<250).map { .text(.arithmetic(.add, .local(2, .integer), .integer(Int64($0)))) },
                        [
                            .log(.local(1, .string)),
                            .set(2, .arithmetic(.add, .local(2, .integer), .integer(1))),
                            .when(
                                .comparison(.equal, .local(1, .string), .string("17")),
                                [.log("seventeen"), .log("17")]),
                        ]),
                    .each(
                        0, [.local(2, .integer), .arithmetic(.add, .local(2, .integer), .integer(1))],
                        [.log(.text(x))]),
                    .each(
                        0, [.integer(1), .local(2, .integer), .integer(3), .local(2, .integer)],
                        [
                            .each(
                                2, [x, .integer(1), x, .local(2, .integer)],
                                [
                                    .log(.joined(.text(x), .text(.local(2, .integer)))), .log("l"), .log("m"),
                                ])
                        ]),
                ])
        ),
        (
            "results",
            .test([
                .test(
                    "main", [.integer],
                    [
                        .count(
                            0, .integer(-2), .integer(5),
                            [
                                .log(.call(1, [x], gives: .string)),
                                .log(.text(.call(2, [x, .integer(2)], gives: .integer))),
                                .log(.text(.call(4, [x], gives: .boolean))),
                                .at(2, .evaluate(.call(2, [x, x], gives: .integer))),
                                .at(2, .evaluate(.call(3, [x]))),
                            ])
                    ]),
                .test(
                    "kind", [.integer], parameters: 1, result: .string,
                    [
                        .when(
                            .comparison(.less, x, .integer(0)), [.result(.string("below"))],
                            else: [
                                .when(
                                    .comparison(.equal, x, .integer(0)),
                                    [.log("at"), .result(.string("zero"))],
                                    else: [
                                        .when(
                                            .comparison(.less, x, .integer(3)), [.result(.string("small"))]),
                                        .log("large"), .result(.text(x)),
                                    ])
                            ])
                    ]),
                .test(
                    "search", [.integer, .integer, .integer], parameters: 2, result: .integer,
                    [
                        .count(
                            2, .integer(0), .integer(10),
                            [
                                .when(
                                    .comparison(.equal, .local(2, .integer), x),
                                    [
                                        .result(
                                            .arithmetic(.multiply, .local(2, .integer), .local(1, .integer)))
                                    ])
                            ]),
                        .result(.negated(.integer(1))),
                    ]),
                .test(
                    "nothing", [.integer], parameters: 1,
                    [
                        .when(
                            .comparison(.greater, x, .integer(1)), [.log("leaves"), .result(nil)],
                            else: [.log("stays")]),
                        .when(.comparison(.equal, x, .integer(1)), [.log("last"), .result(nil)]),
                    ]),
                .test(
                    "endless", [.integer], parameters: 1, result: .boolean,
                    [
                        .each(0, [.integer(1), .integer(2)], [.result(.comparison(.equal, x, .integer(1)))])
                    ]),
                .test("unused", [.log("unused string")]),
            ])
        ),
        (
            "smaller and larger",
            .main(
                [.integer, .decimal, .duration],
                [
                    .set(0, .integer(-4)), .set(1, .decimal(2.5)), .set(2, .duration(90)),
                    .log(.text(.minimum(x, .integer(3)))), .log(.text(.maximum(x, .integer(3)))),
                    .log(.text(.minimum(.local(2, .duration), .duration(.min)))),
                    .log(.text(.maximum(.local(2, .duration), .duration(100)))),
                    .log(.text(.rounded(.up, .minimum(.local(1, .decimal), .converted(x))))),
                    .log(.text(.rounded(.up, .maximum(.local(1, .decimal), .converted(x))))),
                ])
        ),
        (
            "durations",
            .main(
                [.duration, .integer],
                [
                    .set(0, .duration(1_000)), .set(1, .integer(3)),
                    .log(.text(.arithmetic(.multiply, .local(0, .duration), .local(1, .integer)))),
                    .log(.text(.arithmetic(.divide, .local(0, .duration), .local(1, .integer)))),
                    .log(.text(.arithmetic(.divide, .local(0, .duration), .integer(7)))),
                    .log(.text(.arithmetic(.subtract, .duration(1), .local(0, .duration)))),
                    .log(.text(.negated(.local(0, .duration)))),
                    .log(.text(.comparison(.greater, .local(0, .duration), .duration(999)))),
                ])
        ),
        (
            "decimal arithmetic",
            .main(
                [.decimal, .integer],
                [
                    .set(0, .decimal(7.25)), .set(1, .integer(1 << 60)),
                    .log(.text(.rounded(.nearest, .arithmetic(.add, .local(0, .decimal), .decimal(0.25))))),
                    .log(.text(.rounded(.nearest, .arithmetic(.subtract, .decimal(0), .local(0, .decimal))))),
                    .log(.text(.rounded(.up, .negated(.local(0, .decimal))))),
                    .log(
                        .text(
                            .rounded(
                                .nearest, .arithmetic(.divide, .converted(.local(1, .integer)), .decimal(3))))
                    ),
                    .log(
                        .text(
                            .rounded(
                                .nearest,
                                .arithmetic(.multiply, .converted(.local(1, .integer)), .decimal(7.5))))),
                ])
        ),
        (
            "requirements that hold and one that does not",
            .main(
                [.integer],
                [
                    .set(0, .integer(3)), .require(.comparison(.equal, x, .integer(3)), .string("not said")),
                    .require(.boolean(true)), .require(.not(.comparison(.equal, .text(x), .string("4")))),
                    .require(.comparison(.less, x, .integer(3)), .joined(.string("x is "), .text(x))),
                    .log("not reached"),
                ])
        ),
        (
            "more requirements than are worth a string each",
            .main(
                [.integer],
                (0..<6).map { line in
                    .at(
                        1_000_000 + line,
                        .require(
                            .not(.comparison(.equal, .text(x), .string("\(line - 5)"))),
                            message: .string("number \(line)")))
                })
        ),
        (
            "words longer than what is free behind the data",
            .main(
                [.string],
                [
                    .set(0, .string(String(repeating: "long ", count: 13_000))),
                    .require(.comparison(.notEqual, s, .joined(s, .string(""))), .joined(s, .string(""))),
                ])
        ),
        (
            "words that were made",
            .main(
                [.string, .integer],
                [
                    .set(0, .string(String(repeating: "-", count: 500))),
                    .count(1, .integer(0), .integer(8), [.set(0, .joined(s, s))]),
                    .require(.comparison(.equal, .length(s), .integer(0)), .joined(.string("it is "), s)),
                ])
        ),
        ("a requirement without words", .main([], [.require(.not(yes)), .log("not reached")])),
        (
            "failing at once",
            .test([
                .test("main", [.log(.text(.call(1, gives: .integer)))]),
                .test(
                    "fails", [], result: .integer,
                    [.require(.boolean(false), .string("gone")), .log("not reached")]),
            ])
        ),
        (
            "negating the smallest",
            .main(
                [.integer],
                [
                    .set(0, .integer(.min)), .log(.text(.negated(.integer(.max)))),
                    .at(123_456, .set(local: 0, .negated(x))),
                ])
        ),
        (
            "a failing value in a list",
            .main(
                [.integer, .integer],
                [
                    .at(
                        70,
                        .each(
                            local: 0,
                            [
                                .integer(1), .arithmetic(.divide, .integer(1), .local(1, .integer)),
                                .integer(2),
                            ],
                            body: [
                                .at(80, .set(local: 1, .integer(0))),
                                .at(81, .evaluate(.host(.logMessage, .text(x)))),
                            ]))
                ])
        ),
        (
            "a long sum",
            .main(
                [.integer],
                [
                    .log(.text((0..<300).reduce(x) { .arithmetic(.add, $0, .integer(Int64($1))) })),
                    .log((0..<300).reduce(.string("")) { .joined($0, .text(.integer(Int64($1)))) }),
                    .log(
                        .text(
                            (0..<300).reduce(.boolean(true)) {
                                .and($0, .comparison(.less, x, .integer(Int64($1) + 1)))
                            })),
                ])
        ),
    ]

    private static let conditions: [Value] = [
        .boolean(true), .boolean(false), .local(0, .boolean), yes, .not(yes), .not(.not(yes)),
        .host(.checkResourceAuthorization, .string("cpu"), .local(1, .integer)),
        .and(yes, .local(0, .boolean)), .or(.not(yes), .local(0, .boolean)),
        .and(yes, .not(.local(0, .boolean))),
        .or(yes, yes), .and(.not(yes), yes), .and(.and(yes, .local(0, .boolean)), yes),
        .or(.and(.not(yes), yes), .and(yes, .comparison(.less, .local(1, .integer), .integer(4)))),
        .comparison(.equal, yes, .boolean(true)), .comparison(.notEqual, yes, .boolean(true)),
        .comparison(.equal, yes, .boolean(false)), .comparison(.equal, yes, .local(0, .boolean)),
        .comparison(.notEqual, .local(0, .boolean), yes),
        .comparison(.equal, .local(1, .integer), .integer(0)),
        .comparison(.notEqual, .local(1, .integer), .integer(0)),
        .comparison(.equal, .text(.local(1, .integer)), .string("3")),
        .comparison(.notEqual, .text(.local(1, .integer)), .string("")),
        .comparison(.less, .local(1, .integer), .integer(3)),
        .comparison(.lessOrEqual, .local(1, .integer), .integer(3)),
        .comparison(.greater, .local(1, .integer), .integer(3)),
        .comparison(.greaterOrEqual, .local(1, .integer), .integer(3)),
        .comparison(.less, .converted(.local(1, .integer)), .decimal(.nan)),
        .call(1, [.local(1, .integer)], gives: .boolean),
        .and(.call(1, [.local(1, .integer)], gives: .boolean), .call(1, [.integer(2)], gives: .boolean)),
    ]
}
