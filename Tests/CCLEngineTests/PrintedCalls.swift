import CCL
import IPLD
import MeshRuntime
import Testing

/// One call of the host, as a module of the target `wasi` prints it.
enum PrintedCall: Equatable {
    case log(String)
    case anchor(String)
    case check(resource: String, amount: Int64)
    case record(resource: String, amount: Int64)
    case submit(code: String, description: String, resource: String, amount: Int64, priority: String)

    /// The calls that a text holds.
    ///
    /// A line that does not begin with a call's name goes on with the text before it.
    static func calls(in text: String) throws -> [PrintedCall] {
        var records: [String] = []
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        try #require(lines.popLast() == "", "the last line is not ended")
        for line in lines {
            let isCall = ["log", "anchor", "check", "record", "submit"].contains { line.hasPrefix($0 + "\t") }
            if isCall {
                records.append(String(line))
            } else {
                try #require(!records.isEmpty, "the first line is no call: \(line)")
                records[records.count - 1] += "\n" + line
            }
        }
        return try records.map(call)
    }

    private static func call(_ record: String) throws -> PrintedCall {
        let fields = record.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        let text = fields.dropFirst().joined(separator: "\t")
        switch fields[0] {
        case "log": return .log(text)
        case "anchor": return .anchor(text)
        case "submit":
            try #require(fields.count >= 6, "\(record)")
            let count = fields.count
            return .submit(
                code: fields[1], description: fields[2..<(count - 3)].joined(separator: "\t"),
                resource: fields[count - 3], amount: try #require(Int64(fields[count - 2])),
                priority: fields[count - 1])
        default:
            try #require(fields.count == 3, "\(record)")
            let amount = try #require(Int64(fields[2]), "\(record)")
            return fields[0] == "check"
                ? .check(resource: fields[1], amount: amount) : .record(resource: fields[1], amount: amount)
        }
    }

    /// What the mesh's host puts on record for the call when it agrees to it; `nil` for what leaves no trace.
    func effect(_ requirements: JobRequirements) throws -> RunEffect? {
        switch self {
        case .log, .check: return nil
        case .anchor(let data): return .anchored(data)
        case .record(let resource, let amount): return .used(resource: resource, amount: amount.magnitude)
        case .submit(let code, let description, let resource, let amount, let priority):
            return .submitted(
                RunSubmission(
                    code: try CID(code), description: description, resource: resource,
                    amount: amount.magnitude, priority: priority,
                    requirements: SubmissionRequirements(
                        memoryMiB: requirements.memoryMiB.map(\.magnitude),
                        cpu: requirements.cpu.map(\.magnitude),
                        maxSeconds: requirements.maxSeconds.map(\.magnitude),
                        minReputation: requirements.minReputation.map(\.magnitude),
                        location: requirements.location, maxBid: requirements.maxBid.map(\.magnitude))))
        }
    }

    /// What the mesh's host writes to the run's log when it agrees.
    func logLine() throws -> String? {
        switch self {
        case .log(let text): text
        case .check: nil
        case .anchor(let data): "anchored: \(data.utf8.count) bytes"
        case .record(let resource, let amount): "used: \(amount) of \(resource)"
        case .submit(let code, _, let resource, let amount, let priority):
            "submitted: \(try CID(code)), \(amount) of \(resource), priority \(priority)"
        }
    }
}
