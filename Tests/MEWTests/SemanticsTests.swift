import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

/// Values, functions and types, one sentence of the language after the other.
@Suite("What expressions mean", .tags(.Size.small))
struct SemanticsTests {
    private static let ontology = """
        ontology s {
          node One { n: Int?  f: Float?  s: String?  b: Bool?  t: Timestamp?  d: Duration? }
          abstract node Animal { name: String? }
          node Dog : Animal { tricks: Int? }
          node Puppy : Dog { weeks: Int? }
          node Cat : Animal { lives: Int = 9 }
          node Stone { weight: Int? }
        }
        """

    /// The value of an expression over a node whose attributes are all null.
    private func value(_ expression: String) throws -> String {
        let bench = Workbench()
        try bench.run(Self.ontology)
        try bench.run("SPAWN x: One")
        return try bench.rows("MATCH x: One RETURN \(expression)").first?.first ?? "nothing"
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let expression: String
        let result: String

        init(_ expression: String, _ result: String) {
            self.expression = expression
            self.result = result
        }

        var testDescription: String { "\(expression) is \(result)" }
    }

    @Test(
        "null goes through arithmetic and functions, and is false where something is decided",
        arguments: [
            Case("x.n + 1", "null"), Case("-x.n", "null"), Case("length(x.s)", "null"),
            Case("x.s ++ \"a\"", "null"), Case("x.n = null", "true"), Case("x.n = 1", "false"),
            Case("x.n != 1", "true"), Case("x.n < 1", "false"), Case("x.n >= 1", "false"),
            Case("(x.b and true)", "false"), Case("(true and x.b)", "false"), Case("(x.b or true)", "true"),
            Case("(false or x.b)", "false"), Case("(x.b or false)", "false"), Case("not x.b", "null"),
            Case("x.n IS NULL", "true"), Case("x.n IS NOT NULL", "false"), Case("x.n ?? 7", "7"),
            Case("coalesce(x.n, x.n, 3)", "3"), Case("x.n IN [1, 2]", "false"),
            Case("x.n NOT IN [1]", "true"),
            Case("x.n IN [null]", "true"), Case("min(1, x.n)", "null"), Case("type_of(x.n)", "null"),
        ])
    func nulls(_ given: Case) throws { #expect(try value(given.expression) == given.result) }

    @Test(
        "whole numbers divide towards zero and wrap; mixed ones are Float",
        arguments: [
            Case("7 / 2", "3"), Case("-7 / 2", "-3"), Case("7 / -2", "-3"), Case("7 % 3", "1"),
            Case("-7 % 3", "-1"), Case("9223372036854775807 + 1", "-9223372036854775808"),
            Case("-9223372036854775808 - 1", "9223372036854775807"),
            Case("-9223372036854775808 / -1", "-9223372036854775808"),
            Case("-9223372036854775808 % -1", "0"), Case("9223372036854775807 * 2", "-2"),
            Case("7 / 2.0", "3.5"), Case("1 + 0.5", "1.5"), Case("2 * 3 + 4", "10"), Case("2 + 3 * 4", "14"),
            Case("1 = 1.0", "true"), Case("9007199254740993 = 9007199254740992.0", "false"),
            Case("9007199254740993 > 9007199254740992.0", "true"), Case("0.0 = -0.0", "true"),
            Case("abs(-9223372036854775808)", "-9223372036854775808"),
        ])
    func numbers(_ given: Case) throws { #expect(try value(given.expression) == given.result) }

    @Test(
        "points in time and stretches of it",
        arguments: [
            Case("@1970-01-02 - @1970-01-01", "86400000ms"), Case("@1970-01-01 + 1.day", "@86400000"),
            Case("@1970-01-02 - 1.days", "@0"), Case("1.h + 30.min", "5400000ms"),
            Case("2.hours / 2", "3600000ms"), Case("3.s * 2", "6000ms"), Case("2 * 3.s", "6000ms"),
            Case("5.s / 2.s", "2"), Case("5.s % 2.s", "1000ms"), Case("-1.s", "-1000ms"),
            Case("1.min > 59.s", "true"), Case("@2024-02-29T12:34:56.789Z", "@1709210096789"),
            Case("@2024-02-29T12:00+02:00 = @2024-02-29T10:00Z", "true"),
            Case("year(@2024-02-29T12:34:56Z)", "2024"), Case("month(@2024-02-29T12:34:56Z)", "2"),
            Case("day(@2024-02-29T12:34:56Z)", "29"), Case("hour(@2024-02-29T12:34:56Z)", "12"),
            Case("minute(@2024-02-29T12:34:56Z)", "34"), Case("second(@2024-02-29T12:34:56Z)", "56"),
            Case("year(@1969-12-31T23:59:59Z)", "1969"), Case("second(@1969-12-31T23:59:59Z)", "59"),
            Case("to_milliseconds(90.s)", "90000"), Case("to_seconds(90.s)", "90"),
            Case("to_minutes(90.s)", "1"),
            Case("to_hours(90.min)", "1"), Case("to_days(2.weeks)", "14"), Case("now()", "@1700000000000"),
            Case("wall_time() = now()", "true"),
        ])
    func times(_ given: Case) throws { #expect(try value(given.expression) == given.result) }

    @Test(
        "functions of texts, numbers and lists",
        arguments: [
            Case("length(\"äöü\")", "3"), Case("length([1, 2])", "2"), Case("lower(\"ÄB\")", "äb"),
            Case("upper(\"äb\")", "ÄB"), Case("trim(\"  a b \")", "a b"),
            Case("contains(\"abc\", \"bc\")", "true"),
            Case("contains([1, 2], 2)", "true"), Case("contains(\"abc\", \"\")", "true"),
            Case("starts_with(\"abc\", \"ab\")", "true"), Case("ends_with(\"abc\", \"bc\")", "true"),
            Case("ends_with(\"abc\", \"abcd\")", "false"), Case("substring(\"hello\", 1, 3)", "ell"),
            Case("substring(\"hello\", 3, 99)", "lo"), Case("substring(\"hello\", -3, 2)", "he"),
            Case("substring(\"hello\", 9, 2)", ""), Case("replace(\"aXbX\", \"X\", \"--\")", "a--b--"),
            Case("replace(\"ab\", \"\", \"x\")", "ab"), Case("split(\"a,b,,c\", \",\")", "[a, b, , c]"),
            Case("abs(-3)", "3"), Case("abs(-0.5)", "0.5"), Case("min(3, 1, 2)", "1"),
            Case("max(1, 2.5)", "2.5"),
            Case("floor(-1.5)", "-2"), Case("ceil(-1.5)", "-1"), Case("round(2.5)", "3"),
            Case("round(-2.5)", "-3"),
            Case("floor(7)", "7"), Case("is_nan(1.0)", "false"), Case("is_nan(3)", "false"),
            Case("type_of(1)", "Int"), Case("type_of(\"a\")", "String"), Case("type_of(x)", "One"),
            Case("\"a\" ++ \"b\"", "ab"), Case("[1] ++ [2]", "[1, 2]"), Case("\"ä\" = \"a\u{308}\"", "false"),
            Case("\"Z\" < \"a\"", "true"), Case("2 IN [1, 2.0]", "true"),
        ])
    func functions(_ given: Case) throws { #expect(try value(given.expression) == given.result) }

    @Test(
        "what has no meaning is refused before it runs",
        arguments: [
            "1 + \"a\"", "\"a\" - \"b\"", "not 1", "true and 1", "-\"a\"", "length(1)", "1 < \"a\"",
            "@2024-01-01 + @2024-01-01", "1.s + 1", "x < x", "1 IN 2", "year(1)", "x.n.foo", "true < 1",
        ])
    func mismatches(_ expression: String) throws {
        let bench = Workbench()
        try bench.run(Self.ontology)
        #expect(try bench.fault("MATCH x: One RETURN \(expression)") == .typeMismatch)
    }

    // MARK: Types

    private func zoo() throws -> Workbench {
        let bench = Workbench()
        try bench.run(Self.ontology)
        try bench.run(
            """
            SPAWN #rex: Dog { name = "Rex", tricks = 2 }, #bo: Puppy { name = "Bo", weeks = 6 }
            SPAWN #tom: Cat { name = "Tom" }, #rock: Stone { weight = 3 }
            """)
        return bench
    }

    @Test func `a pattern of a type matches all types below it`() throws {
        let bench = try zoo()
        #expect(
            try bench.rows("MATCH a: Animal RETURN a.name ORDER BY a.name") == [["Bo"], ["Rex"], ["Tom"]])
        #expect(try bench.rows("MATCH a: Dog RETURN a.name ORDER BY a.name") == [["Bo"], ["Rex"]])
        #expect(try bench.rows("MATCH a: any RETURN COUNT(*)") == [["4"]])
    }

    @Test func `an attribute of a type below is null where it is absent`() throws {
        #expect(
            try zoo().rows("MATCH a: Animal RETURN a.tricks, a.weeks, a.lives ORDER BY a.name")
                == [["null", "6", "null"], ["2", "null", "null"], ["null", "null", "9"]])
    }

    @Test func `a union has the attributes that all its members have`() throws {
        let bench = try zoo()
        #expect(
            try bench.rows("MATCH a: Puppy | Cat RETURN a.name ORDER BY a.name") == [["Bo"], ["Tom"]])
        #expect(try bench.fault("MATCH a: Cat | Stone RETURN a.weight") == .unknownAttribute)
    }

    @Test func `a type can be asked for in a condition`() throws {
        let bench = try zoo()
        #expect(
            try bench.rows("MATCH a: any WHERE a: Dog RETURN a.id ORDER BY a.id") == [
                ["Dog/rex"], ["Puppy/bo"],
            ])
        #expect(
            try bench.rows("MATCH a: any WHERE NOT (a: Animal) RETURN a.id, a._type") == [
                ["Stone/rock", "Stone"]
            ])
    }

    @Test func `the id of anything is compared with references, texts and itself`() throws {
        let bench = try zoo()
        for condition in [
            "a = #rex", "a.id = #rex", "a.id = \"Dog/rex\"", "#rex = a", "a.id = #\"Dog/rex\".id", "a = $rex",
            "a.id = $rex", "a._id = $rex",
        ] {
            #expect(
                try bench.rows("MATCH a: any WHERE \(condition) RETURN a.id", ["rex": .string("Dog/rex")])
                    == [["Dog/rex"]], "\(condition)")
        }
        #expect(try bench.rows("MATCH a: Dog, b: any WHERE a.id = b RETURN COUNT(*)") == [["2"]])
    }

    // MARK: Parameters

    @Test func `a parameter is given, or marked as one that need not be`() throws {
        let bench = try zoo()
        #expect(try bench.rows("MATCH a: Cat WHERE a.lives = $n RETURN a.name", ["n": .int(9)]) == [["Tom"]])
        #expect(try bench.rows("MATCH a: Cat WHERE a.lives = $n? RETURN a.name") == [])
        #expect(try bench.rows("MATCH a: Dog WHERE a.weeks = $n? RETURN a.name") == [["Rex"]])
        #expect(try bench.fault("MATCH a: Cat WHERE a.lives = $n RETURN a.name") == .missingParameter)
        #expect(
            try bench.rows("MATCH a: Dog RETURN a.name ORDER BY a.name LIMIT $k", ["k": .int(1)]) == [["Bo"]])
    }

    // MARK: Bounds

    @Test func `an index is used as soon as it is there, and not after it is dropped`() throws {
        let bench = try zoo()
        let question = "MATCH a: Dog WHERE a.tricks = 2 RETURN a.name"
        let plan = { try bench.rows("EXPLAIN " + question).map { $0[1] }.joined(separator: "; ") }
        #expect(try plan().contains("scan"))
        try bench.run("CREATE INDEX tricks ON Dog(tricks)")
        #expect(try plan().contains("index tricks"))
        #expect(try bench.rows(question) == [["Rex"]])
        #expect(try bench.fault("CREATE INDEX tricks ON Dog(tricks)") == .duplicateName)
        try bench.run("DROP INDEX tricks")
        #expect(try plan().contains("scan"))
    }

    @Test func `PROFILE counts the rows of every step`() throws {
        let rows = try zoo().rows("PROFILE MATCH a: Dog, b: Cat WHERE a.tricks = 2 RETURN a")
        #expect(rows.map { $0[3] } == ["2", "1", "1"] || rows.map { $0[3] } == ["1", "2", "1"], "\(rows)")
    }

    @Test func `nesting and length have bounds`() throws {
        let bench = try zoo()
        let deep = String(repeating: "(", count: 1_000) + "1" + String(repeating: ")", count: 1_000)
        #expect(try bench.fault("MATCH a: Dog RETURN \(deep)") == .nestedTooDeeply)
        #expect(
            try bench.fault(
                "MATCH a: Dog WHERE a.name = \"\(String(repeating: "x", count: 10_000_000))\" RETURN a")
                == .tooLong)
    }

    @Test func `what runs away ends, and the graph is as it was`() throws {
        let bench = try zoo()
        bench.stepLimit = 10_000
        #expect(
            try bench.fault("MATCH a: any, b: any, c: any, d: any, e: any, f: any, g: any RETURN COUNT(*)")
                == .workLimit)
        #expect(
            try bench.fault(
                "MATCH a: any, b: any, c: any, d: any, e: any, f: any, g: any SET a.name = \"x\"")
                == .workLimit)
        #expect(try bench.rows("MATCH a: any RETURN COUNT(*)") == [["4"]])
    }
}
