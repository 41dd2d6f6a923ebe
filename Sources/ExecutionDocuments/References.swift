public import IPLD
public import MeshCore

/// A reference to external data: `{"$cid": "bafk…"}`, and with `"$as"` what its bytes become.
public struct DataReference: Hashable, Sendable {
    /// What the bytes of a block become in the document.
    public enum Form: String, Hashable, Sendable, CaseIterable {
        /// The JSON value that they spell.
        case json
        /// Text, which they must be in UTF-8.
        case text
        /// Text in base64 (RFC 4648 §4), for any bytes.
        case base64
    }

    public let cid: CID
    public let form: Form

    public init(_ cid: CID, as form: Form = .json) {
        self.cid = cid
        self.form = form
    }

    /// The reference as it stands in a document; `"$as"` only where it is not JSON.
    public var value: DocumentValue {
        var members = [DocumentMember("$cid", .string(cid.description))]
        if form != .json { members.append(DocumentMember("$as", .string(form.rawValue))) }
        return .object(members)
    }

    /// Reads a reference; `nil` for a value without `"$cid"`.
    ///
    /// - Throws: ``ExecutionFailure/badReference`` for a value that has it and is no reference.
    public init?(_ value: DocumentValue) throws(ExecutionError) {
        guard case .object(let members) = value, let named = value["$cid"] else { return nil }
        guard case .text(let text) = named, let cid = try? CID(text.description) else {
            throw ExecutionError(.badReference, "\"$cid\" holds no CID")
        }
        var form = Form.json
        if let wanted = value["$as"] {
            guard case .text(let text) = wanted, let known = Form(rawValue: text.description) else {
                throw ExecutionError(.badReference, "\"$as\" is none of json, text and base64")
            }
            form = known
        }
        guard members.count == (value["$as"] == nil ? 1 : 2) else {
            throw ExecutionError(.badReference, "a reference holds \"$cid\" and \"$as\" and nothing else")
        }
        self.init(cid, as: form)
    }
}

extension ExecutionDocument {
    /// The most references of a document.
    public static let referencesMax = 1024

    /// The references of the document, in their order.
    ///
    /// - Throws: ``ExecutionFailure/badReference`` or ``ExecutionFailure/tooLarge``.
    public func references() throws(ExecutionError) -> [DataReference] {
        var found: [DataReference] = []
        for member in open {
            _ = try member.value.replacingReferences { reference throws(ExecutionError) in
                guard found.count < Self.referencesMax else { throw Self.tooMany() }
                found.append(reference)
                return .null
            }
        }
        return found
    }

    /// The document with the data in the place of its references, as the outer context hands it on.
    ///
    /// What `fetch` gives is hashed, so it is the data or nothing. Data is data: a reference inside of it is
    /// left as it is. Members without references keep their bytes.
    /// - Throws: ``ExecutionFailure/badReference`` for one that nobody has or that is not of its form,
    ///   ``ExecutionFailure/hashMismatch``, ``ExecutionFailure/tooLarge`` when the document would outgrow
    ///   `limits`.
    public func resolving(
        limits: DocumentLimits = .standard, fetch: (CID) -> [UInt8]?
    ) throws(ExecutionError) -> ExecutionDocument {
        var resolved = self
        var (count, byteCount) = (0, bytes.count)
        for member in open {
            let value = try member.value.replacingReferences { reference throws(ExecutionError) in
                count += 1
                guard count <= Self.referencesMax else { throw Self.tooMany() }
                let (data, overhead) = (try reference.data(fetch), 16)
                byteCount += data.count + overhead
                guard byteCount <= limits.byteCountMax else {
                    throw ExecutionError(
                        .tooLarge, "with its data the document would pass \(limits.byteCountMax) bytes")
                }
                return try reference.value(of: data, limits: limits)
            }
            if value != member.value { resolved.write(member.key, value) }
        }
        return try ExecutionDocument(decoding: resolved.bytes, limits: limits)
    }

    private static func tooMany() -> ExecutionError {
        ExecutionError(.tooLarge, "the document has more than \(referencesMax) references")
    }
}

extension DataReference {
    func data(_ fetch: (CID) -> [UInt8]?) throws(ExecutionError) -> [UInt8] {
        guard let bytes = fetch(cid) else {
            throw ExecutionError(.badReference, "nobody has the data \(cid)")
        }
        guard CID(of: bytes, codec: cid.codec).digest == cid.digest else {
            throw ExecutionError(.hashMismatch, "what was fetched as \(cid) hashes to something else")
        }
        return bytes
    }

    func value(of data: [UInt8], limits: DocumentLimits) throws(ExecutionError) -> DocumentValue {
        switch form {
        case .json:
            do throws(ExecutionError) {
                return try DocumentValue(decoding: data, limits: limits)
            } catch {
                throw ExecutionError(
                    .badReference, "\(cid) is not JSON: \(error.message)",
                    hint: "ask for it with \"$as\": \"text\" or \"base64\"")
            }
        case .text:
            guard let text = String(validating: data, as: UTF8.self) else {
                throw ExecutionError(.badReference, "\(cid) is not text in UTF-8")
            }
            return .string(text)
        case .base64: return .text(DocumentText(wellFormed: Base64.encode(data)))
        }
    }
}

extension DocumentValue {
    /// The value with something else in the place of each reference; nothing is looked for in what comes.
    func replacingReferences(
        _ replacement: (DataReference) throws(ExecutionError) -> DocumentValue
    ) throws(ExecutionError) -> DocumentValue {
        if let reference = try DataReference(self) { return try replacement(reference) }
        switch self {
        case .list(let elements):
            var replaced: [DocumentValue] = []
            for element in elements { replaced.append(try element.replacingReferences(replacement)) }
            return .list(replaced)
        case .object(let members):
            var replaced: [DocumentMember] = []
            for member in members {
                replaced.append(
                    DocumentMember(member.key, try member.value.replacingReferences(replacement)))
            }
            return .object(replaced)
        case .null, .boolean, .number, .text: return self
        }
    }
}

/// Base64 with padding (RFC 4648 §4).
enum Base64 {
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ data: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((data.count + 2) / 3 * 4)
        for start in stride(from: 0, to: data.count, by: 3) {
            let group = data[start..<min(start + 3, data.count)]
            var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            bits <<= 8
            for position in 0..<4 {
                text.append(position <= group.count ? letters[Int(bits >> 26)] : UInt8(ascii: "="))
                bits <<= 6
            }
        }
        return text
    }
}
