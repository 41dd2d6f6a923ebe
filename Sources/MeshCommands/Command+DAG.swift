internal import CommandLineArguments
internal import ControlClient
internal import IPLD
internal import MeshAPI

extension CommandEntry {
    static let dagHeads = CommandEntry(
        Command(
            "heads", "Show the newest anchor of each feed", flags: [.identifierOnly, .format],
            examples: ["meshctl dag heads -o json"])
    ) { context in
        let heads: [HeadView] = try context.client().get("/v1/dag/heads")
        context.show(
            heads, id: { $0.cid ?? "" },
            columns: [
                ("Node ID", { $0.nodeID ?? $0.did }), ("Scope", \.scope), ("Seq", { String($0.seq) }),
                ("CID", { $0.cid ?? "-" }), ("Time", { $0.time ?? "-" }),
                ("State", { $0.frozen ? "frozen" : "live" }),
            ])
        return .done
    }

    static let dagLog = CommandEntry(
        Command(
            "log", "Show anchors, newest first",
            flags: [
                Flag("author", .text("NODE"), "Only this node's"),
                Flag("limit", .integer("N", 1...10_000), "How many", default: "100"), .identifierOnly,
                .format,
            ], examples: ["meshctl dag log --author mesh-node-2 --limit 10"])
    ) { context in
        var query = ["limit": context.arguments.text("limit") ?? "100"]
        query["author"] = context.arguments.text("author")
        let anchors: [AnchorView] = try context.client().get("/v1/dag/log", query: query)
        context.show(
            anchors, id: \.cid,
            columns: [
                ("Time", \.time), ("Node ID", { $0.nodeID ?? $0.did }), ("Seq", { String($0.seq) }),
                ("CID", \.cid),
                ("Entries", { $0.entries.map { $0.kind ?? "?" }.joined(separator: " ") }),
            ])
        return .done
    }

    static let dagGet = CommandEntry(
        Command(
            "get", "Show a block",
            discussion: "A record is shown as DAG-JSON; other blocks are written as they are.",
            flags: [Flag("raw", .toggle, "Write a record's bytes as they are"), .format],
            operands: [Operand("CID", "The block, or a prefix of its CID")],
            examples: ["meshctl dag get bafyreic6y4ho", "meshctl dag get bafyreic6y4ho --raw > block"])
    ) { context in
        let id = HTTPControlClient.pathSegment(context.arguments.operand("CID") ?? "")
        let bytes = try context.client().bytes("/v1/dag/\(id)")
        let isRecord = context.arguments.operand("CID")?.hasPrefix("bafk") != true
        guard !context.arguments.has("raw"), isRecord, let value = try? IPLDValue(decoding: bytes) else {
            context.console.writeOutput(bytes)
            return .done
        }
        let tree = JSONTree(dagJSON: value)
        context.show(tree) { [tree.json()] }
        return .done
    }

    static let dagExport = CommandEntry(
        Command(
            "export", "Write the DAG as a CAR file",
            flags: [
                Flag("cid", .text("CID"), "Only what is under this block"),
                Flag("output", short: "o", .text("FILE.car"), "Where to; - is standard output"),
            ], operands: [Operand("FILE.car", "Where to, instead of -o", isOptional: true)],
            examples: ["meshctl dag export mesh.car"])
    ) { context in
        let path = try context.arguments.either("output", "FILE.car")
        var query: [String: String] = [:]
        query["cid"] = context.arguments.text("cid")
        try context.write(try context.client().bytes("/v1/dag/export", query: query), to: path)
        return .done
    }

    static let dagImport = CommandEntry(
        Command(
            "import", "Take over what is valid in a CAR file", flags: [.format],
            operands: [Operand("FILE.car", "The file; - is standard input")],
            examples: ["meshctl dag import mesh.car"])
    ) { context in
        let bytes = try context.contents(of: context.arguments.operand("FILE.car") ?? "-")
        let result: ImportView = try context.client().post(
            "/v1/dag/import", bytes: bytes, contentType: "application/vnd.ipld.car")
        context.show(result) {
            ["\(result.imported) imported, \(result.known) known before, \(result.refused) refused"]
        }
        return .done
    }
}

extension JSONTree {
    /// DAG-JSON: links as `{"/":"bafy…"}`, bytes as `{"/":{"bytes":"base64"}}`.
    ///
    /// An integer that JSON readers would round is written as text.
    init(dagJSON value: IPLDValue) {
        func slash(_ value: JSONTree) -> JSONTree { .object([Member(key: "/", value: value)]) }
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .boolean(flag)
        case .integer(let isNegative, let magnitude):
            if let whole = Int(exactly: magnitude) {
                self = .integer(isNegative ? -1 - whole : whole)
            } else {
                let (next, overflow) = magnitude.addingReportingOverflow(1)
                self = .text(
                    isNegative ? "-" + (overflow ? "18446744073709551616" : "\(next)") : "\(magnitude)")
            }
        case .double(let number): self = .number(number)
        case .text(let text): self = .text(text)
        case .bytes(let bytes):
            self = slash(.object([Member(key: "bytes", value: .text(Self.base64(bytes)))]))
        case .link(let cid): self = slash(.text(cid.description))
        case .foreignLink(let bytes): self = slash(.text("b" + Multibase.base32(bytes)))
        case .list(let elements): self = .array(elements.map { JSONTree(dagJSON: $0) })
        case .map(let entries):
            self = .object(entries.map { Member(key: $0.key, value: JSONTree(dagJSON: $0.value)) })
        }
    }

    /// RFC 4648 base64 without padding.
    static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        var bits = 0
        var buffer: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(buffer >> UInt32(bits) & 63)])
            }
            buffer &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { text.append(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
        return text
    }
}
