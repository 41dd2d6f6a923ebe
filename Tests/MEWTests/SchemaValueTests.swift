import MEW
import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

/// A declaration of an attribute, a value for it, and what becomes of that.
private struct Trial: Sendable, CustomTestStringConvertible {
    let attribute: String
    let value: GraphValue
    let result: GraphValue?
    let code: ErrorCode?
    var testDescription: String { "\(attribute): \(value.shortened)" }

    init(_ attribute: String, _ value: GraphValue, becomes result: GraphValue) {
        self.attribute = attribute
        self.value = value
        self.result = result
        code = nil
    }

    init(_ attribute: String, keeps value: GraphValue) { self.init(attribute, value, becomes: value) }

    init(_ attribute: String, _ value: GraphValue, _ code: ErrorCode) {
        self.attribute = attribute
        self.value = value
        self.code = code
        result = nil
    }
}

@Suite("A value fits an attribute or is refused with a reason", .tags(.Size.small))
struct SchemaValueTests {
    private static let digest = Bytes32(Array(repeating: 7, count: 32))

    @Test(
        "types and modifiers decide",
        arguments: [
            Trial("Int", keeps: .int(3)), Trial("Int", .float(3), .typeMismatch),
            Trial("Int", .null, .typeMismatch),
            Trial("Int?", keeps: .null), Trial("Int [required]", .null, .missingRequired),
            Trial("Float", .int(3), becomes: .float(3)), Trial("Float", .float(.nan), .typeMismatch),
            Trial("Float", .float(.infinity), .typeMismatch), Trial("Int | Float", keeps: .int(3)),
            Trial("Float | String", .int(3), becomes: .float(3)), Trial("String", .int(3), .typeMismatch),
            Trial("Bool", keeps: .bool(true)), Trial("Timestamp", keeps: .timestamp(0)),
            Trial("Timestamp", .int(0), .typeMismatch), Trial("Duration", keeps: .duration(1)),
            Trial("ID", keeps: .string("Person/a")), Trial("Hash", keeps: .hash(digest)),
            Trial("Bytes", keeps: .bytes([1])), Trial("Bytes", .hash(digest), .typeMismatch),
            Trial("String[]", keeps: .list([.string("a")])),
            Trial("String[]", .list([.int(1)]), .typeMismatch),
            Trial("Float[]", .list([.int(1), .float(2)]), becomes: .list([.float(1), .float(2)])),
            Trial("(Int | String)[]", keeps: .list([.int(1), .string("a")])),
            Trial("Int", .entity(LocalID(rawValue: 1)), .typeMismatch),
            Trial("Int [>= 3]", keeps: .int(3)), Trial("Int [>= 3]", .int(2), .valueRefused),
            Trial("Int [<= 3]", keeps: .int(3)), Trial("Int [<= 3]", .int(4), .valueRefused),
            Trial("Int [> 3]", keeps: .int(4)), Trial("Int [> 3]", .int(3), .valueRefused),
            Trial("Int [< 3]", keeps: .int(2)), Trial("Int [< 3]", .int(3), .valueRefused),
            Trial("Int [1..5]", keeps: .int(5)), Trial("Int [1..5]", .int(6), .valueRefused),
            Trial("Float [0..1]", .int(1), becomes: .float(1)),
            Trial("Float [0..1]", .float(1.01), .valueRefused),
            Trial("Duration [< 1.min]", .duration(60_000), .valueRefused),
            Trial("Timestamp [>= @2026-01-01]", .timestamp(0), .valueRefused),
            Trial("String [in: [\"a\", \"b\"]]", keeps: .string("b")),
            Trial("String [in: [\"a\", \"b\"]]", .string("c"), .valueRefused),
            Trial("String [length: 2..3]", keeps: .string("é漢")),
            Trial("String [length: 2..3]", .string("a"), .valueRefused),
            Trial("String [length: 2..3]", .string("abcd"), .valueRefused),
            Trial("String [format: uuid]", .string("x"), .valueRefused),
            Trial("String [match: \"[a-z]+\"]", keeps: .string("abc")),
            Trial("String [match: \"[a-z]+\"]", .string("abc1"), .valueRefused),
            Trial("String [match: \"a*\"]", keeps: .string(String(repeating: "a", count: 4096))),
            Trial("String [match: \"a*\"]", .string(String(repeating: "a", count: 4097)), .valueRefused),
            Trial("String? [length: 2..3]", keeps: .null),
            Trial("String[] [length: 2..3]", keeps: .list([.string("ab"), .string("abc")])),
            Trial("String[] [length: 2..3]", .list([.string("ab"), .string("a")]), .valueRefused),
            Trial("String", .string(String(repeating: "a", count: 65_537)), .valueRefused),
            Trial("String[] [match: \"a*\"]", keeps: .list(Array(repeating: .string("aaaa"), count: 4096))),
            Trial(
                "String[] [match: \"a*\"]", .list(Array(repeating: .string("aaaaa"), count: 4096)),
                .valueRefused),
            Trial("Int[]", .list(Array(repeating: .int(1), count: 4097)), .valueRefused),
        ])
    private func trials(_ trial: Trial) throws {
        let schema = try schema("node A { x: \(trial.attribute) }")
        let attribute = try #require(schema.nodes["A"]?.attribute("x"))
        if let code = trial.code {
            let refused = try refusal { _ = try schema.validate(trial.value, for: attribute, of: "A") }
            #expect(refused.code == code, "\(refused)")
            #expect(refused.message.contains("A.x"))
        } else {
            #expect(try schema.validate(trial.value, for: attribute, of: "A") == trial.result)
        }
    }

    @Test("a refusal names the type, the attribute, the value in short and the rule")
    func messages() throws {
        let schema = try schema(
            "node Person { age: Int? [>= 18] role: String? [in: [\"admin\", \"user\"]] bio: String? [format: slug] }"
        )
        let person = try #require(schema.nodes["Person"])
        func message(_ name: String, _ value: GraphValue) throws -> String {
            let attribute = try #require(person.attribute(name))
            return try refusal { _ = try schema.validate(value, for: attribute, of: "Person") }.message
        }
        #expect(try message("age", .int(3)) == "Person.age cannot be 3: it must be at least 18")
        #expect(
            try message("role", .string("boss"))
                == "Person.role cannot be \"boss\": it must be one of \"admin\", \"user\"")
        #expect(try message("age", .string("x")) == "Person.age is Int?, and \"x\" is String")
        let long = try message("bio", .string(String(repeating: "é\n", count: 30_000)))
        #expect(long.unicodeScalars.count < 120)
        #expect(long.contains("…"))
    }

    @Test("constants are computed as programs compute: integers truncate and wrap, null spreads")
    func constants() throws {
        func value(_ text: String) throws -> GraphValue {
            try ConstantExpression.value(of: Parser.expression(text).get(), now: 1_000)
        }
        #expect(try value("1 + 2 * 3") == .int(7))
        #expect(try value("-7 / 2") == .int(-3))
        #expect(try value("-7 % 4") == .int(-3))
        #expect(try value("9223372036854775807 + 1") == .int(.min))
        #expect(try value("(-9223372036854775807 - 1) / -1") == .int(.min))
        #expect(try value("1 + 0.5") == .float(1.5))
        #expect(try value("now() + 7.days") == .timestamp(604_801_000))
        #expect(try value("now() - 1.s") == .timestamp(0))
        #expect(try value("@2026-01-02 - @2026-01-01") == .duration(86_400_000))
        #expect(try value("2 * 3.s") == .duration(6000))
        #expect(try value("7.s / 2") == .duration(3500))
        #expect(try value("\"a\" ++ \"b\"") == .string("ab"))
        #expect(try value("[1, 2] ++ [3]") == .list([.int(1), .int(2), .int(3)]))
        #expect(try value("null + 1") == .null)
        #expect(try value("not true") == .bool(false))
        #expect(try refusal { _ = try value("1 % 0") }.code == .divisionByZero)
        #expect(try refusal { _ = try value("now() + now()") }.code == .typeMismatch)
        #expect(
            try refusal { _ = try ConstantExpression.value(of: Parser.expression("now()").get(), now: nil) }
                .code
                == .invalidDeclaration)
    }
}

@Suite("New entities get what was assigned and the defaults of the rest", .tags(.Size.small))
struct SchemaFillingTests {
    private let source = """
        node A {
          name: String [required]
          size: Float = 1
          made: Timestamp [readonly] = now()
          note: String?
          mark: Int
          tags: String[] = ["x"]
        }
        [abstract] node Base {}
        node B : Base {}
        """

    private func fill(_ assigned: [(String, GraphValue)]) throws -> FilledAttributes {
        let schema = try schema(source)
        let node = try #require(schema.nodes["A"])
        return schema.fill(
            assigned.map { AssignedValue(name: Name($0.0), value: $0.1) }, into: node.attributes, of: "A",
            now: 5)
    }

    @Test("defaults fill what is left out, nulls are not kept, and what is missing is warned of")
    func filling() throws {
        let filled = try fill([("note", .null), ("size", .int(2)), ("name", .string("n"))])
        #expect(filled.errors == [])
        #expect(
            filled.attributes == [
                GraphAttribute(name: "name", value: .string("n")),
                GraphAttribute(name: "size", value: .float(2)),
                GraphAttribute(name: "made", value: .timestamp(5)),
                GraphAttribute(name: "tags", value: .list([.string("x")])),
            ])
        #expect(filled.warnings.map(\.code) == [.unusedNullability])
        #expect(filled.warnings[0].message.contains("A.mark"))
        #expect(filled.warnings[0].severity == .warning)
    }

    @Test("everything that is wrong is told at once")
    func faults() throws {
        let filled = try fill([
            ("nmae", .string("n")), ("size", .string("x")), ("mark", .int(1)), ("mark", .int(2)),
        ])
        #expect(
            filled.errors.map(\.code) == [.unknownAttribute, .duplicateName, .missingRequired, .typeMismatch])
        #expect(filled.errors[0].hint == "did you mean name?")
    }

    @Test("a SET changes what may be changed")
    func setting() throws {
        let schema = try schema(source)
        let attributes = try #require(schema.nodes["A"]).attributes
        func set(_ name: String, _ value: GraphValue) throws -> GraphAttribute {
            try schema.fit(AssignedValue(name: Name(name), value: value), into: attributes, of: "A")
        }
        #expect(try set("size", .int(3)) == GraphAttribute(name: "size", value: .float(3)))
        #expect(try set("note", .null) == GraphAttribute(name: "note", value: .null))
        #expect(try refusal { _ = try set("made", .timestamp(1)) }.code == .readonlyAttribute)
        #expect(try refusal { _ = try set("name", .null) }.code == .missingRequired)
        #expect(try refusal { _ = try set("mark", .null) }.code == .typeMismatch)
        #expect(try refusal { _ = try set("id", .string("x")) }.code == .unknownAttribute)
    }

    @Test("only a type that somebody can be of is spawned")
    func spawning() throws {
        let schema = try schema(source)
        #expect(try schema.spawnable(Name("B")).name == "B")
        let abstract = try refusal { _ = try schema.spawnable(Name("Base")) }
        #expect(abstract.code == .abstractType)
        #expect(abstract.hint == "below it are B")
        #expect(try refusal { _ = try schema.spawnable(Name("Job")) }.code == .systemType)
        #expect(try refusal { _ = try schema.spawnable(Name("_DeadLetter")) }.code == .systemType)
        let unknown = try refusal { _ = try schema.spawnable(Name("Bsae")) }
        #expect(unknown.code == .unknownType)
        #expect(unknown.hint == "did you mean Base?")
    }
}
