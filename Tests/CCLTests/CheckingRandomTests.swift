internal import CCL
internal import MeshCore
internal import MeshTestSupport
import Testing

/// Writes contracts of every shape from a seed: most of them wrong somewhere, some of them right.
struct RandomContract {
    var generator: SeededGenerator

    private mutating func number(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func pick(_ values: [String]) -> String { values[number(values.count)] }

    mutating func text() -> String {
        var text =
            "resources { compute: \(number(3000)); cpu: 5 }\nsettings { most: 5; on: true; names [\"a\"]; wait 5s }\n"
        for _ in 0..<number(3) { text += statement(2) }
        text += "execution {\n"
        for _ in 0..<1 + number(6) { text += statement(3) }
        text += "}\n"
        for name in ["f", "g", "h"] where number(3) > 0 {
            text += "function \(name)(\(pick(["", "a", "a, b", "a: integer, b"]))) {\n"
            for _ in 0..<number(4) { text += statement(2) }
            text += number(2) == 0 ? "return \(expression(2));\n}\n" : "}\n"
        }
        if number(3) == 0 { text += "on \"e\" { \(statement(2)) }\n" }
        return text
    }

    mutating func statement(_ depth: Int) -> String {
        switch depth > 0 ? number(16) : number(9) {
        case 0, 1: return "let \(pick(["x", "y", "z"])) = \(expression(2));\n"
        case 2: return "\(pick(["x", "y", "a"])) = \(expression(2));\n"
        case 3: return "log(\(expression(2)));\n"
        case 4: return "log(\"\" + \(expression(2)));\n"
        case 5: return "record_resource_usage(\"\(pick(["compute", "cpu", "x"]))\", \(expression(1)));\n"
        case 6: return "perform_action(\"p\", \(expression(1)));\n"
        case 7:
            return "\(pick(["f", "g", "h"]))(\(pick(["", "1", "x", "1, 2", "a: x, b: \(expression(1))"])));\n"
        case 8:
            return pick([
                "return;\n", "return 1;\n", "fail(\"no\");\n", "mint_tokens(\"t\", 2, \"r\");\n", "x;\n",
                "}\n",
            ])
        case 9, 10, 11:
            let otherwise = number(2) == 0 ? "" : " else { \(statement(depth - 1)) }"
            return "if \(condition(2)) { \(statement(depth - 1))\(statement(depth - 1)) }\(otherwise)\n"
        case 12: return "for i in range(\(expression(1)), \(expression(1))) { \(statement(depth - 1)) }\n"
        case 13: return "for i in [\(expression(1)), \(expression(1))] { \(statement(depth - 1)) }\n"
        case 14: return "require(\(condition(2)), \"m\");\n"
        default: return "anchor_data(\(pick(["[1, 2]", "{ a: 1, b: [true] }", "\"d\"", "x"])));\n"
        }
    }

    mutating func condition(_ depth: Int) -> String {
        switch number(6) {
        case 0: "check_resource_authorization(\"compute\", \(number(500)))"
        case 1: "settings.on"
        case 2: depth > 0 ? "\(condition(depth - 1)) && \(condition(depth - 1))" : "true"
        case 3: depth > 0 ? "!(\(condition(depth - 1)) || x == y)" : "false"
        case 4: "\(expression(1)) \(pick(["<", "==", ">=", "!="])) \(expression(1))"
        default: expression(depth)
        }
    }

    mutating func expression(_ depth: Int) -> String {
        guard depth > 0 else {
            return pick([
                "1", "0", "2.5", "x", "y", "\"s\"", "true", "5s", "settings.most", "settings.wait", "i", "a",
                "9223372036854775807", "missing", "ctx.v", "[1]",
            ])
        }
        switch number(7) {
        case 0, 1: return expression(0)
        case 2: return "\(expression(depth - 1)) \(pick(["+", "-", "*", "/", "%"])) \(expression(depth - 1))"
        case 3: return "-\(expression(0))"
        case 4: return "\(pick(["min", "max"]))(\(expression(depth - 1)), \(expression(depth - 1)))"
        case 5: return "\(pick(["length", "text", "round", "f", "g", "h"]))(\(expression(depth - 1)))"
        default: return condition(depth - 1)
        }
    }
}

/// Writes contracts of which most are right.
struct TameContract {
    var generator: SeededGenerator

    private mutating func number(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func pick(_ values: [String]) -> String { values[number(values.count)] }

    mutating func text() -> String {
        var text = "resources { compute: 90000000; cpu: 5 }\nsettings { most: 5; on: true; ratio: 0.5 }\n"
        text += "function h(n) { let x = n; let y = n; \(statement(2, true)) return x + y; }\n"
        text += "function g(n, m) { if n > m { return \"more\"; } \(result()) return text(n); }\n"
        text +=
            "function e(x: decimal, y) { for i in range(y) { if i > 3 { return; } log(\"e\" + y); } require(x > 0); }\n"
        text += "execution {\nlet x = 0; let y = 1; let s = \"s\";\n"
        for _ in 0..<2 + number(6) { text += statement(3, false) }
        return text + "log(s + x + y);\n}\n"
    }

    private mutating func result() -> String {
        number(2) == 0 ? "for k in [1, 2, n] { if k == m { return \"k\" + k; } }" : ""
    }

    mutating func statement(_ depth: Int, _ isFunction: Bool) -> String {
        switch depth > 0 ? number(15) : number(9) {
        case 0: return "x = \(integer(2));\n"
        case 1: return "y = \(integer(2));\n"
        case 2: return "log(\"v\" + \(integer(2)) + \(condition(1)));\n"
        case 3: return "record_resource_usage(\"compute\", \(number(9)));\n"
        case 4: return "perform_action(\(string()), \(integer(1)));\n"
        case 5:
            return isFunction
                ? "log(\"f\");\n" : "e(\(pick(["1", "x", "settings.ratio", "2.5"])), h(\(integer(1))));\n"
        case 6: return "mint_tokens(\"t\", \(number(3)), \(string()));\n"
        case 7: return "if check_resource_authorization(\"cpu\", x) && x > y { fail(\(string())); }\n"
        case 8:
            return
                "anchor_data(\(pick(["[1, 2]", "{ a: 1, b: [true, 5s] }", "\"d\""])), path: \(string()));\n"
        case 9, 10, 11:
            let otherwise = number(2) == 0 ? "" : " else { \(statement(depth - 1, isFunction)) }"
            return "if \(condition(2)) { \(statement(depth - 1, isFunction)) }\(otherwise)\n"
        case 12:
            return
                "for i in range(\(pick(["0, 3", "x, y", "2, x", "y, 7"]))) { \(statement(depth - 1, isFunction)) }\n"
        case 13:
            return
                "for i in [\(integer(1)), \(integer(1))] { log(\"i\" + i); \(statement(depth - 1, isFunction)) }\n"
        default: return "require(\(condition(2)), \(string()));\n"
        }
    }

    private mutating func string() -> String { pick(["\"m\"", "\"n\" + x", "text(y)", "\"\""]) }

    mutating func condition(_ depth: Int) -> String {
        switch number(5) {
        case 0: "check_resource_authorization(\"compute\", \(number(500)))"
        case 1: "settings.on"
        case 2: depth > 0 ? "(\(condition(depth - 1)) && \(condition(depth - 1)))" : "x < 5"
        case 3: depth > 0 ? "!(\(condition(depth - 1)) || x == y)" : "x * 0.5 >= settings.ratio"
        default: "\(integer(1)) \(pick(["<", "==", ">=", "!="])) x"
        }
    }

    mutating func integer(_ depth: Int) -> String {
        guard depth > 0 else { return pick(["1", "2", "x", "y", "settings.most"]) }
        switch number(6) {
        case 0: return integer(0)
        case 1: return "(\(integer(depth - 1)) \(pick(["+", "-", "*"])) \(integer(depth - 1)))"
        case 2: return "\(pick(["min", "max"]))(\(integer(depth - 1)), \(integer(depth - 1)))"
        case 3: return "length(text(\(integer(depth - 1))))"
        case 4: return "round(\(integer(depth - 1)) * 1.5)"
        default: return "x % 7"
        }
    }
}

@Suite("Checking takes whatever it is given", .tags(.Size.small))
struct CheckingRandomTests {
    /// What holds of every contract, right or wrong.
    static func examine(_ source: String, _ comment: Testing.Comment) -> Bool {
        let checked = Checked(source)
        let again = Checked(source)
        #expect(checked.diagnostics == again.diagnostics, comment)
        let own = Contract.check(Contract.read(Array(source.utf8)).tree).diagnostics
        #expect(own.count <= Limits.diagnosticCountMax, comment)
        #expect((checked.program == nil) == own.contains { $0.severity == .error }, comment)
        let length = source.utf8.count
        for diagnostic in own {
            let range = diagnostic.range
            #expect(range.start <= range.end && range.end.offset <= length, comment)
            #expect(!diagnostic.rendered(source: source, name: "x").isEmpty)
        }
        for (one, next) in zip(own, own.dropFirst()) { #expect(one.range.start <= next.range.start, comment) }
        guard let program = checked.program else { return false }
        let faults = CheckingValidator.faults(program)
        #expect(faults.isEmpty, "\(faults.prefix(3)) in \(source)")
        let explanation = Contract.explanation(program, spending: checked.spending)
        #expect(explanation.hasSuffix(".\n") || explanation.isEmpty, comment)
        for use in checked.spending.uses { #expect(use.atLeast <= use.atMost ?? .max, comment) }
        return true
    }

    @Test(
        "random contracts are refused with diagnostics or become sound programs", arguments: Seed.sample(20))
    func random(seed: Seed) {
        var random = RandomContract(generator: seed.generator)
        for _ in 0..<25 { _ = Self.examine(random.text(), "\(seed)") }
    }

    @Test(
        "contracts of the collection survive the loss, the doubling and the exchange of words",
        arguments: Seed.sample(10))
    func mutated(seed: Seed) throws {
        var generator = seed.generator
        for name in CheckingGolden.names where name != "fault-depth" && name != "fault-unfolding" {
            var words = try CheckingGolden.text("\(name).ccl").split(
                separator: " ", omittingEmptySubsequences: false)
            for _ in 0..<3 {
                let (a, b) = (
                    Int.random(in: 0..<words.count, using: &generator),
                    Int.random(in: 0..<words.count, using: &generator)
                )
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: words.remove(at: a)
                case 1: words.insert(words[a], at: b)
                default: words.swapAt(a, b)
                }
                if words.isEmpty { words = ["x"] }
            }
            _ = Self.examine(words.joined(separator: " "), "\(seed) \(name)")
        }
    }

    @Test(
        "contracts that use names and types as they should are accepted, most of them",
        arguments: Seed.sample(20))
    func tame(seed: Seed) {
        var tame = TameContract(generator: seed.generator)
        var accepted = 0
        for _ in 0..<20 where Self.examine(tame.text(), "\(seed)") { accepted += 1 }
        #expect(accepted >= 12, "\(accepted) at \(seed)")
    }
}
