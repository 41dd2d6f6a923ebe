internal import Dataflow
internal import ExecutionDocuments
internal import ExecutionStore
internal import FoundationEssentials

/// The execution documents of a run of dataflow: one for the run, and below it one for each pass.
final class FlowRecord {
    private let store: ExecutionStore
    private let place: ContextPath
    private var run: ExecutionDocument
    private var pass: ExecutionDocument?

    /// Begins the run's document.
    ///
    /// - Throws: What is wrong with the folder, or with its log.
    init(context: String, graph: PreparedGraph, commandContext: CommandContext) throws {
        store = try CommandEntry.executionStore(commandContext)
        let store = store
        (place, run) = try CommandEntry.reading {
            let place = try ContextPath(context)
            var run = try store.create(try ProtocolName("dataflow.run"), context: place)
            try run.set("config", to: .object([DocumentMember("graph", .string("\(graph.cid)"))]))
            return (place, try store.begin(run))
        }
    }

    /// A pass begins with what its sources have read.
    func begin(_ inputs: PassInputs) throws {
        pass = try CommandEntry.reading {
            var pass = try store.create(
                try ProtocolName("dataflow.pass"), context: place, parentUID: run.uid)
            try pass.set("input", to: .object(inputs.readings.map(Self.member)))
            return try store.begin(pass)
        }
    }

    /// A pass is over.
    func end(_ report: PassReport) throws {
        guard var pass else { return }
        self.pass = nil
        try CommandEntry.reading {
            try pass.set("result", to: try DocumentValue(decoding: Array(report.json.utf8)))
            if let failure = report.failure {
                _ = try store.fail(pass, error: "\(failure)")
            } else {
                _ = try store.complete(pass)
            }
        }
    }

    /// The run is over.
    func finish(_ reports: [PassReport]) throws {
        try CommandEntry.reading {
            try run.set("result", to: .object([DocumentMember("passes", .integer(Int64(reports.count)))]))
            if let failure = reports.last?.failure {
                run = try store.fail(run, error: "\(failure)")
            } else {
                run = try store.complete(run)
            }
        }
    }

    private static func member(_ reading: Reading) -> DocumentMember {
        switch reading.result {
        case .failure(let failure):
            DocumentMember(
                DocumentText(reading.node),
                .object([
                    DocumentMember("class", .string(failure.errorClass.rawValue)),
                    DocumentMember("message", .string(failure.message)),
                ]))
        case .success(let values):
            DocumentMember(
                DocumentText(reading.node),
                .object(values.map { DocumentMember(DocumentText($0.port), value($0.value)) }))
        }
    }

    private static func value(_ value: FlowValue) -> DocumentValue {
        switch value {
        case .number(let number): self.number(number)
        case .series(let numbers): .list(numbers.map(number))
        case .bool(let flag): .boolean(flag)
        case .event(let event): .string(event.name)
        case .string(let text): .string(text)
        }
    }

    /// JSON has no NaN and no infinity; they are kept as text.
    private static func number(_ number: Double) -> DocumentValue {
        (try? DocumentValue(decoding: Array(number.description.utf8))) ?? .string(number.description)
    }
}
