internal import IPLD
internal import JSON5
internal import MeshCore
public import MeshRuntime

/// One call of a module by the compute `wasm`, the same wherever a graph runs.
///
/// The module's standard input is `{"numbers":[…],"series":[…],"flag":…}`; its output is a number, or
/// `{"result":…,"series":[…]}`. Clock and chance follow from the module alone, so that what comes out follows from what
/// goes in.
public enum ModuleCall {
    /// The most that a module may print, in bytes.
    public static let outputByteCountMax: UInt64 = 1 << 20

    /// The run of `code` over `inputs`.
    ///
    /// - Parameters:
    ///   - node: The compute; its parameters name the function and bound the fuel.
    ///   - inputs: What is wired to it.
    ///   - code: The module's bytes.
    ///   - limits: What it may use; fuel is lowered to what the node allows.
    /// - Returns: What a runtime of modules takes.
    public static func request(
        _ node: AdapterRequest, _ inputs: [PortValue], code: [UInt8], limits: RunLimits
    ) -> RunRequest {
        request(node, stdin: stdin(inputs), code: CID(of: code, codec: .raw), limits: limits)
    }

    static func request(
        _ node: AdapterRequest, stdin: [UInt8], code: CID, limits: RunLimits
    ) -> RunRequest {
        var limits = limits
        limits.fuel = min(limits.fuel, UInt64(clamping: node.integer("fuel") ?? 10_000_000))
        return RunRequest(
            code: code, entry: node.text("function"), stdin: stdin, limits: limits,
            clockStart: Timestamp(milliseconds: 0), randomSeed: code.digest)
    }

    /// What a run of it gave.
    ///
    /// - Throws: A failure of class `validation_failed` when the module ended badly or printed anything else.
    public static func values(of result: RunResult) throws(PrimitiveFailure) -> [PortValue] {
        let outcome = result.outcome
        guard outcome.outcomeClass == .ok else {
            throw PrimitiveFailure(
                .validationFailed,
                "the module ended with \(outcome.outcomeClass.rawValue)\(outcome.trap.map { " \($0)" } ?? "")"
            )
        }
        return try values(printed: result.stdout)
    }

    static func stdin(_ inputs: [PortValue]) -> [UInt8] {
        var numbers: [Double] = []
        var series: [Double] = []
        var flag: Bool?
        for input in inputs {
            switch input.value {
            case .number(let value): numbers.append(value)
            case .series(let values): series = values
            case .bool(let value): flag = value
            case .event, .string: continue
            }
        }
        var json = JSONText()
        json.object { json in
            json.key("numbers")
            json.list(numbers) { $0.plainNumber($1) }
            json.key("series")
            json.list(series) { $0.plainNumber($1) }
            json.key("flag")
            if let flag { json.bool(flag) } else { json.null() }
        }
        return Array(json.text.utf8)
    }

    private static func values(printed bytes: [UInt8]) throws(PrimitiveFailure) -> [PortValue] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
        let first = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
        let last = bytes.lastIndex { !isBlank($0) } ?? first
        if first < bytes.endIndex, let number = SourceValues.number(bytes[first...last]) {
            return [PortValue("result", .number(number)), PortValue("series", .series([]))]
        }
        let unreadable = PrimitiveFailure(
            .validationFailed, "the module printed neither a number nor results")
        guard bytes.count <= Int(outputByteCountMax), let text = String(validating: bytes, as: UTF8.self),
            let document = try? JSON5Parser.parse(text), case .object(let members) = document.content
        else { throw unreadable }
        var result = 0.0
        var series: [Double] = []
        for member in members {
            switch (member.key, member.value.content) {
            // What is null is as good as absent, and what has another name is not looked at.
            case ("result", .null), ("series", .null): continue
            case ("result", let content):
                guard let number = number(content) else { throw unreadable }
                result = number
            case ("series", .array(let elements)):
                series = elements.compactMap { number($0.content) }
                guard series.count == elements.count else { throw unreadable }
            case ("series", _): throw unreadable
            default: continue
            }
        }
        return [PortValue("result", .number(result)), PortValue("series", .series(series))]
    }

    private static func number(_ content: JSON5Value.Content) -> Double? {
        switch content {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
