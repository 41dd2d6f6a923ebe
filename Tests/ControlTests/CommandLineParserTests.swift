import CommandLineArguments
import MeshTestSupport
import Testing

@Suite("CommandLineParser", .tags(.Size.small))
struct CommandLineParserTests {
    private static let program = Command(
        "tool", "A tool", flags: [Flag("socket", .text("PATH"), "Where the daemon is")],
        subcommands: [
            Command(
                "send", "Send something",
                flags: [
                    Flag("count", short: "c", .integer("N", 1...10), "How often", default: "3"),
                    Flag("mode", .choice(["slow", "fast"]), "How"),
                    Flag("wait", .duration, "How long", default: "2s"),
                    Flag("label", .pair("K=V"), "A label", repeatable: true),
                    Flag("quiet", short: "q", .toggle, "Say nothing"),
                    Flag("to", .text("NAME"), "Whom to", required: true),
                ], operands: [Operand("WHAT", "What to send"), Operand("MORE", "More", isOptional: true)],
                examples: ["tool send --to me hello"]),
            Command(
                "store", "Stores",
                subcommands: [Command("list", "List them"), Command("clear", "Clear them")]),
        ])

    private func parsed(_ line: String) throws -> ParsedArguments {
        let words = line.split(separator: " ").map(String.init)
        let request = try CommandLineParser(program: Self.program).parse(words)
        guard case .run(let arguments) = request else {
            throw UsageError("\(line) is no run")
        }
        return arguments
    }

    @Test("flags are read in every spelling", arguments: ["-c 5", "-c5", "-c=5", "--count 5", "--count=5"])
    func flagSpellings(_ spelling: String) throws {
        let arguments = try parsed("send \(spelling) --to me hello")
        #expect(arguments.integer("count") == 5)
        #expect(arguments.has("count"))
        #expect(arguments.operand("WHAT") == "hello")
        #expect(arguments.operand("MORE") == nil)
    }

    @Test("a flag that is not given has its default")
    func defaults() throws {
        let arguments = try parsed("send --to me hello")
        #expect(arguments.integer("count") == 3)
        #expect(arguments.milliseconds("wait") == 2000)
        #expect(!arguments.has("count"))
        #expect(arguments.text("mode") == nil)
    }

    @Test("repeated flags keep their order and pairs split at the first equals sign")
    func repetition() throws {
        let pairs = try parsed("send --to me --label a=1 --label b=x=y hello").pairs("label")
        #expect(pairs.map(\.key) == ["a", "b"])
        #expect(pairs.map(\.value) == ["1", "x=y"])
    }

    @Test("two dashes end the flags")
    func doubleDash() throws {
        #expect(try parsed("send --to me -- --count").operand("WHAT") == "--count")
    }

    @Test("a lone dash is a value, not a flag")
    func loneDash() throws {
        #expect(try parsed("send --to - -").operand("WHAT") == "-")
    }

    @Test("the program's flags are understood before and behind a command")
    func globalFlags() throws {
        #expect(try parsed("--socket /a store list").text("socket") == "/a")
        #expect(try parsed("store list --socket /b").text("socket") == "/b")
        #expect(try parsed("store list").command == ["store", "list"])
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let line: String
        let message: String
        var hint: String?
        var testDescription: String { line }
    }

    @Test(
        "a mistake is named, with what was probably meant",
        arguments: [
            Mistake(line: "sned x", message: "tool has no command “sned”", hint: "did you mean tool send?"),
            Mistake(
                line: "store lsit", message: "tool store has no command “lsit”",
                hint: "did you mean tool store list?"),
            Mistake(
                line: "zzzzzz", message: "tool has no command “zzzzzz”", hint: "see tool --help"),
            Mistake(
                line: "send --cuont 3 x", message: "tool send has no flag --cuont",
                hint: "did you mean --count?"),
            Mistake(
                line: "store", message: "tool store needs a command: list, clear",
                hint: "see tool store --help"),
            Mistake(line: "send x", message: "tool send needs --to NAME", hint: "see tool send --help"),
            Mistake(line: "send --to me", message: "tool send needs WHAT", hint: "see tool send --help"),
            Mistake(
                line: "send --to me a b c", message: "tool send does not take “c”",
                hint: "see tool send --help"),
            Mistake(line: "send --to me --count many x", message: "--count takes a whole number, not “many”"),
            Mistake(line: "send --to me --count 11 x", message: "--count must be between 1 and 10, not 11"),
            Mistake(
                line: "send --to me --mode fats x", message: "--mode takes slow, fast, not “fats”",
                hint: "did you mean fast?"),
            Mistake(
                line: "send --to me --wait soon x",
                message: "--wait takes a duration such as 500ms, 2s, 5m or 1h, not “soon”"),
            Mistake(line: "send --to me --label =v x", message: "--label takes K=V, not “=v”"),
            Mistake(line: "send --to me --quiet=no x", message: "--quiet takes no value"),
            Mistake(line: "send hello --to", message: "--to needs a value: NAME"),
            Mistake(line: "send --to a --to b x", message: "--to is given twice: a and b"),
        ])
    func mistakes(_ mistake: Mistake) {
        let error = #expect(throws: UsageError.self) { try parsed(mistake.line) }
        #expect(error?.message == mistake.message)
        #expect(error?.hint == mistake.hint)
    }

    @Test("help shows usage, flags with their defaults, and examples")
    func help() throws {
        guard case .help(let text) = try CommandLineParser(program: Self.program).parse(["send", "-h"]) else {
            Issue.record("no help")
            return
        }
        #expect(text.hasPrefix("Usage: tool send --to NAME WHAT [MORE] [FLAGS]\n"))
        #expect(text.contains("-c, --count N"))
        #expect(text.contains("How often (default 3)"))
        #expect(text.contains("Examples:\n  tool send --to me hello\n"))
    }

    @Test("a repeatable operand takes all the rest")
    func repeatable() throws {
        let program = Command(
            "tool", "Does",
            subcommands: [
                Command(
                    "load", "Loads",
                    operands: [Operand("TO", "Where"), Operand("FILE", "What", isRepeatable: true)])
            ])
        let parser = CommandLineParser(program: program)
        guard case .run(let arguments) = try parser.parse(["load", "x", "a", "b", "--", "-c"]),
            case .help(let text) = try parser.parse(["load", "--help"])
        else {
            Issue.record("not understood")
            return
        }
        #expect(arguments.operand("TO") == "x")
        #expect(arguments.operands("FILE") == ["a", "b", "-c"])
        #expect(text.hasPrefix("Usage: tool load TO FILE…\n"))
        #expect(throws: UsageError.self) { try parser.parse(["load", "x"]) }
    }

    @Test("--version is understood everywhere", arguments: [["--version"], ["send", "--version"]])
    func version(_ words: [String]) throws {
        #expect(try CommandLineParser(program: Self.program).parse(words) == .version)
    }

    @Test(
        "durations are read with their units",
        arguments: zip(
            ["500ms", "2s", "3", "5m", "1h", "7d", "", "ms", "-1s", "1.5s", "2 s", "99999999999999999d"],
            [500, 2000, 3000, 300_000, 3_600_000, 604_800_000, nil, nil, nil, nil, nil, nil]))
    func durations(_ text: String, _ milliseconds: Int?) {
        #expect(DurationText.milliseconds(text) == milliseconds)
    }

    @Test("completion knows every command and flag", arguments: Completion.shells)
    func completion(_ shell: String) throws {
        let script = try #require(Completion.script(for: shell, program: Self.program))
        for word in ["send", "store", "list", "clear", "count", "mode", "slow fast"] {
            #expect(script.contains(word))
        }
        #expect(Completion.script(for: "csh", program: Self.program) == nil)
    }
}
