internal import Dataflow
public import MeshRuntime
internal import WasmRuntime

/// A job's code as it is looked at before anything is published.
public struct CodeQuestion: Sendable {
    public var language: String
    public var code: [UInt8]
    public var entry: String?
    public var arguments: [String]
    public var limits: RunLimits

    public init(
        language: String, code: [UInt8], entry: String?, arguments: [String], limits: RunLimits
    ) {
        self.language = language
        self.code = code
        self.entry = entry
        self.arguments = arguments
        self.limits = limits
    }
}

/// Why a job cannot run, found before anything is published.
public struct CodeRefusal: Error, Sendable {
    /// The stable code, such as `module.not-wasm` or `dataflow.cycle-detected`.
    public let code: String
    /// What is wrong, for people.
    public let message: String
    /// What to do instead, where that is known.
    public let hint: String?
    /// How many more faults there are.
    public let others: Int

    init(_ code: String, _ message: String, hint: String? = nil, others: Int = 0) {
        self.code = code
        self.message = message
        self.hint = hint
        self.others = others
    }
}

extension JobRuntime {
    /// Says why a job cannot run here, or `nil`; blocks until a worker has compiled a module.
    public func refusal(of question: CodeQuestion) -> CodeRefusal? {
        if question.language == "dataflow" { return Self.graphRefusal(of: question) }
        return pool.check(question.code, entry: question.entry, limits: question.limits)
            .map { Self.refusal($0, question.code) }
    }

    /// As ``refusal(of:)``, without workers: modules are inspected and not compiled.
    public static func inspect(_ question: CodeQuestion, moduleBytesMax: Int) -> CodeRefusal? {
        if question.language == "dataflow" { return graphRefusal(of: question) }
        return WasmModuleInspector.inspect(
            question.code, entry: question.entry, moduleBytesMax: moduleBytesMax
        ).map { refusal($0, question.code) }
    }

    private static func refusal(_ refusal: ModuleRefusal, _ code: [UInt8]) -> CodeRefusal {
        // What begins with a brace was meant to be a graph.
        let first = code.first { $0 != 0x20 && !(0x09...0x0d).contains($0) }
        let isGraph = refusal.reason == .notWasm && first == UInt8(ascii: "{")
        return CodeRefusal(
            refusal.reason.rawValue, refusal.description,
            hint: isGraph ? "a graph is submitted with --language dataflow" : nil)
    }

    private static func graphRefusal(of question: CodeQuestion) -> CodeRefusal? {
        if let entry = question.entry {
            return CodeRefusal(
                "dataflow.argument", "a graph has no function “\(entry.prefix(80))” to call",
                hint: "leave --entry out")
        }
        do throws(JobGraphError) {
            _ = try JobGraph(
                question.code, arguments: question.arguments, memoryBytes: question.limits.memoryBytes)
            return nil
        } catch {
            let first = error.faults[0]
            return CodeRefusal(
                first.code, first.message, hint: first.hint, others: error.faults.count - 1)
        }
    }
}
