import ExecutionDocuments
import IPLD
import MeshCore

let noon = Timestamp("2026-11-21T12:00:00.000Z") ?? Timestamp(milliseconds: 0)

func sample(
    _ uid: String = "a1", protocolName: String = "mesh.job", context: String = "/projects/a",
    parent: String? = nil
) throws -> ExecutionDocument {
    ExecutionDocument(
        uid: try ExecutionUID(uid), protocolName: try ProtocolName(protocolName),
        context: try ContextPath(context), parentUID: try parent.map { try ExecutionUID($0) }, timestamp: noon
    )
}

func value(_ json: String) throws -> DocumentValue { try DocumentValue(decoding: Array(json.utf8)) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// A line that starts an execution.
func start(_ uid: String, parent: String? = nil, status: ExecutionStatus = .running, at: Int64 = 0) throws
    -> [UInt8]
{
    LogEntry.start(
        uid: try ExecutionUID(uid), protocolName: try ProtocolName("mesh.job"), context: .root,
        parentUID: try parent.map { try ExecutionUID($0) }, timestamp: noon + at, status: status
    ).line
}

/// A line that gives an execution its next status.
func becomes(_ uid: String, _ status: ExecutionStatus, at: Int64 = 0, error: String? = nil) throws -> [UInt8]
{
    LogEntry.transition(uid: try ExecutionUID(uid), status: status, timestamp: noon + at, error: error).line
}

func deleted(_ uid: String, _ deletion: Deletion, at: Int64 = 0) throws -> [UInt8] {
    LogEntry.deletion(uid: try ExecutionUID(uid), deletion: deletion, timestamp: noon + at).line
}

/// The kind of failure of what is run, or `nil` where it does not fail.
func failure(_ run: () throws -> Void) -> ExecutionFailure? {
    do { try run() } catch { return (error as? ExecutionError)?.code }
    return nil
}

/// Documents of any shape, spelled as carelessly as JSON allows.
struct RandomJSON {
    var generator: SeededGenerator

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    mutating func space() -> String {
        ["", "", "", " ", "\n  ", "\t", "\r\n"][below(7)]
    }

    mutating func key(_ number: Int) -> String {
        [
            "\"k\(number)\"", "\"\\u006b\(number)\"", "\"é\(number)\"", "\"/\\/~\(number)\"",
            "\"𝄞\\ud834\\udd1e\(number)\"",
        ][
            below(5)]
    }

    mutating func value(_ depth: Int) -> String {
        switch below(depth > 4 ? 6 : 8) {
        case 0: return "null"
        case 1: return ["true", "false"][below(2)]
        case 2: return ["0", "-0", "1.50", "1e400", "-12345678901234567890.0E+07", "0.1e-2"][below(6)]
        case 3: return "\"\""
        case 4: return "\"a\\n\\\"\\\\\\u0000ü\""
        case 5: return "\"plain text \(below(100))\""
        case 6:
            let elements = (0..<below(4)).map { _ in space() + value(depth + 1) + space() }
            return "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]"
        default: return object((0..<below(4)).map { (key($0), value(depth + 1)) })
        }
    }

    mutating func object(_ members: [(String, String)]) -> String {
        let spelled = members.map { space() + $0.0 + space() + ":" + space() + $0.1 + space() }
        return "{" + (spelled.isEmpty ? space() : spelled.joined(separator: ",")) + "}"
    }

    /// A document with its identity somewhere among other members.
    mutating func document() -> String {
        var members: [(String, String)] = [
            ("\"uid\"", "\"u-\(below(1000))\""), ("\"protocol\"", "\"mesh.job\""),
            ("\"context\"", ["\"/\"", "\"a/b\"", "\"\\/projects\""][below(3)]),
            ("\"timestamp\"", "\"2026-11-21T12:00:00Z\""),
            ("\"status\"", ["\"created\"", "\"running\"", "\"\\u0066ailed\""][below(3)]),
        ]
        if below(2) == 0 { members.append(("\"parentUid\"", ["null", "\"p\""][below(2)])) }
        for number in 0..<below(6) { members.append((key(number), value(1))) }
        members.shuffle(using: &generator)
        return space() + object(members) + space()
    }
}
