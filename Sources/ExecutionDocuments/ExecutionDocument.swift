public import MeshCore

/// The keys that make up a document's identity; all others belong to the protocol.
enum IdentityKey {
    static let uid: DocumentText = "uid"
    static let protocolName: DocumentText = "protocol"
    static let context: DocumentText = "context"
    static let parentUID: DocumentText = "parentUid"
    static let timestamp: DocumentText = "timestamp"
    static let status: DocumentText = "status"

    static let all = [uid, protocolName, context, parentUID, timestamp, status]
}

/// All state of one execution: six fields of identity, and whatever its protocol adds.
///
/// The bytes are kept as they came, in their order; writing a field replaces the bytes of its value and no
/// others. Equality is that of the bytes.
public struct ExecutionDocument: Hashable, Sendable {
    /// The document as JSON, byte for byte what was read or written.
    public private(set) var bytes: [UInt8]
    public let uid: ExecutionUID
    public let protocolName: ProtocolName
    public let context: ContextPath
    /// The execution that triggered this one.
    public let parentUID: ExecutionUID?
    /// When it was created.
    public let timestamp: Timestamp
    public private(set) var status: ExecutionStatus
    /// All members, identity included, in their order.
    public private(set) var members: [DocumentMember]
    /// Where each member's value stands in ``bytes``.
    private var ranges: [Range<Int>]
    /// How many values the document holds.
    private var valueCount = 0

    public static func == (a: Self, b: Self) -> Bool { a.bytes == b.bytes }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    /// A document that has its identity and nothing else.
    public init(
        uid: ExecutionUID, protocolName: ProtocolName, context: ContextPath, parentUID: ExecutionUID? = nil,
        timestamp: Timestamp
    ) {
        let fields: [(DocumentText, DocumentValue)] = [
            (IdentityKey.uid, .string(uid.description)),
            (IdentityKey.protocolName, .string(protocolName.description)),
            (IdentityKey.context, .string(context.description)),
            (IdentityKey.parentUID, parentUID.map { .string($0.description) } ?? .null),
            (IdentityKey.timestamp, .string(timestamp.description)),
            (IdentityKey.status, .string(ExecutionStatus.created.rawValue)),
        ]
        bytes = Array("{}".utf8)
        self.uid = uid
        self.protocolName = protocolName
        self.context = context
        self.parentUID = parentUID
        self.timestamp = timestamp
        status = .created
        members = []
        ranges = []
        for (key, value) in fields { append(key, value) }
    }

    /// Reads a document.
    ///
    /// - Throws: ``ExecutionFailure/badJSON``, ``ExecutionFailure/tooLarge``, ``ExecutionFailure/identity``,
    ///   ``ExecutionFailure/badStatus``, ``ExecutionFailure/badContext`` or ``ExecutionFailure/badName``.
    public init(decoding bytes: [UInt8], limits: DocumentLimits = .standard) throws(ExecutionError) {
        var scanner = try DocumentScanner(bytes, limits: limits)
        scanner.skipSpace()
        guard scanner.next == UInt8(ascii: "{") else { throw scanner.wrong("an object was expected") }
        var ranges: [Range<Int>] = []
        let members = try scanner.object(depth: 0) { _, _, range in ranges.append(range) }
        try scanner.expectEnd()
        func text(_ key: DocumentText) throws(ExecutionError) -> String {
            guard case .text(let text) = members.first(where: { $0.key == key })?.value else {
                throw ExecutionError(.identity, "the document has no text \"\(key)\"")
            }
            return text.description
        }
        uid = try ExecutionUID(try text(IdentityKey.uid))
        protocolName = try ProtocolName(try text(IdentityKey.protocolName))
        context = try ContextPath(try text(IdentityKey.context))
        status = try ExecutionStatus(try text(IdentityKey.status))
        switch members.first(where: { $0.key == IdentityKey.parentUID })?.value {
        case .none, .null: parentUID = nil
        case .text(let text): parentUID = try ExecutionUID(text.description)
        default: throw ExecutionError(.identity, "the document's \"parentUid\" is neither text nor null")
        }
        let instant = try text(IdentityKey.timestamp)
        guard let timestamp = Timestamp(instant) else {
            throw ExecutionError(.identity, "\"\(instant.prefix(40))\" is no instant of RFC 3339")
        }
        self.timestamp = timestamp
        self.bytes = bytes
        self.members = members
        self.ranges = ranges
        valueCount = scanner.values
    }
}

extension ExecutionDocument {
    /// The value of a member, or `nil`.
    public subscript(key: DocumentText) -> DocumentValue? { members.first { $0.key == key }?.value }

    /// The whole document as one value.
    public var value: DocumentValue { .object(members) }

    /// The members that the protocol has added, in their order.
    public var open: [DocumentMember] { members.filter { !IdentityKey.all.contains($0.key) } }

    /// Writes a member of the protocol's: in place where it is there already, at the end otherwise.
    ///
    /// - Throws: ``ExecutionFailure/identity`` for a field of identity, ``ExecutionFailure/tooLarge`` when the
    ///   document would outgrow `limits`; the document is then as before.
    public mutating func set(
        _ key: DocumentText, to value: DocumentValue, limits: DocumentLimits = .standard
    ) throws(ExecutionError) {
        guard !IdentityKey.all.contains(key) else {
            throw ExecutionError(.identity, "\"\(key)\" is part of the document's identity")
        }
        var room = limits.valueCountMax - valueCount + (self[key]?.valueCount ?? 0)
        try value.check(depth: 1, room: &room, limits: limits)
        var written = self
        written.write(key, value)
        try limits.check(byteCount: written.bytes.count)
        self = written
    }

    /// The document with its next status.
    ///
    /// - Throws: ``ExecutionFailure/badTransition``.
    public func becoming(_ next: ExecutionStatus) throws(ExecutionError) -> ExecutionDocument {
        try status.check(next)
        var document = self
        document.status = next
        document.write(IdentityKey.status, .string(next.rawValue))
        return document
    }

    mutating func write(_ key: DocumentText, _ value: DocumentValue) {
        guard let position = members.firstIndex(where: { $0.key == key }) else {
            append(key, value)
            return
        }
        let replacement = value.compact
        let range = ranges[position]
        valueCount += value.valueCount - members[position].value.valueCount
        bytes.replaceSubrange(range, with: replacement)
        members[position].value = value
        ranges[position] = range.lowerBound..<(range.lowerBound + replacement.count)
        let growth = replacement.count - range.count
        for later in (position + 1)..<max(position + 1, ranges.count) {
            ranges[later] = (ranges[later].lowerBound + growth)..<(ranges[later].upperBound + growth)
        }
    }

    /// Takes members out, each with the comma before it.
    ///
    /// Identity stays, so that something does.
    mutating func remove(_ keys: [DocumentText]) {
        for key in keys {
            guard let position = members.firstIndex(where: { $0.key == key }), members.count > 1 else {
                continue
            }
            // From the end of the member before to the end of this one; the first goes up to the next one's key.
            let cut: Range<Int>
            if position > 0 {
                cut = ranges[position - 1].upperBound..<ranges[position].upperBound
            } else {
                var comma = ranges[0].upperBound
                while bytes[comma] != UInt8(ascii: ",") { comma += 1 }
                cut = ((bytes.firstIndex(of: UInt8(ascii: "{")) ?? 0) + 1)..<(comma + 1)
            }
            bytes.removeSubrange(cut)
            valueCount -= members.remove(at: position).value.valueCount
            ranges.remove(at: position)
            for later in position..<ranges.count {
                ranges[later] =
                    (ranges[later].lowerBound - cut.count)..<(ranges[later].upperBound - cut.count)
            }
        }
    }

    /// Adds a member behind the last one; what follows the last value stays as it is.
    private mutating func append(_ key: DocumentText, _ value: DocumentValue) {
        var addition: [UInt8] = members.isEmpty ? [] : [UInt8(ascii: ",")]
        key.write(to: &addition)
        addition.append(UInt8(ascii: ":"))
        // An empty document is "{}" and ours; a document that was read holds its identity.
        let end = ranges.last?.upperBound ?? 1
        let start = end + addition.count
        value.write(to: &addition, sorted: false)
        bytes.insert(contentsOf: addition, at: end)
        valueCount += value.valueCount
        members.append(DocumentMember(key, value))
        ranges.append(start..<(end + addition.count))
    }
}
