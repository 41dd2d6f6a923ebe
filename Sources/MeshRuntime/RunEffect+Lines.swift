internal import IPLD
internal import MeshCore

extension RunEffect {
    /// The effects as JSON Lines: one object for each, in their order, in one spelling only.
    ///
    /// Whoever repeats the run writes the same bytes, so that their CID names what the run did.
    public static func lines(_ effects: [RunEffect]) -> [UInt8] {
        var text = LineWriter()
        for effect in effects {
            text.write(effect)
            text.bytes.append(UInt8(ascii: "\n"))
        }
        return text.bytes
    }
}

/// Writes effects as JSON without spaces, with what must be escaped escaped and nothing else.
private struct LineWriter {
    var bytes: [UInt8] = []

    mutating func write(_ effect: RunEffect) {
        switch effect {
        case .anchored(let data):
            raw("{\"anchored\":")
            string(data)
            raw("}")
        case .used(let resource, let amount):
            raw("{\"used\":{\"resource\":")
            string(resource)
            raw(",\"amount\":\(amount)}}")
        case .submitted(let submission):
            raw("{\"submitted\":{")
            write(submission)
            raw("}}")
        case .refused(let function, let reason):
            raw("{\"refused\":{\"function\":")
            string(function.rawValue)
            raw(",\"reason\":")
            string(reason)
            raw("}}")
        }
    }

    private mutating func write(_ submission: RunSubmission) {
        raw("\"wasm_cid\":")
        string(submission.code.description)
        raw(",\"description\":")
        string(submission.description)
        raw(",\"resource_type\":")
        string(submission.resource)
        raw(",\"resource_amount\":\(submission.amount),\"priority\":")
        string(submission.priority)
        let needs = submission.requirements
        number("memory_mib", needs.memoryMiB)
        number("cpu", needs.cpu)
        number("max_seconds", needs.maxSeconds)
        number("min_reputation", needs.minReputation)
        if let location = needs.location {
            raw(",\"location\":")
            string(location)
        }
        number("max_bid", needs.maxBid)
    }

    private mutating func number(_ key: String, _ value: UInt64?) {
        if let value { raw(",\"\(key)\":\(value)") }
    }

    private mutating func raw(_ text: String) {
        bytes += text.utf8
    }

    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): raw("\\n")
            case UInt8(ascii: "\r"): raw("\\r")
            case UInt8(ascii: "\t"): raw("\\t")
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                raw("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
