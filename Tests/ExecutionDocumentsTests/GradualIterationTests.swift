import ExecutionDocuments
import IPLD
import MeshCore
import MeshTestSupport
import Testing

@Suite("Gradual Iteration", .tags(.Size.small))
struct GradualIterationTests {
    @Test("phase 4: references are resolved by the outer context, and the inner one sees data")
    func references() throws {
        let (json, plain) = (Block(Array(#"{"n":1.0}"#.utf8), codec: .raw), Block([0xFF, 0x00], codec: .raw))
        let cbor = Block([0xA0], codec: .dagCBOR)
        var document = try sample()
        try document.set("untouched", to: .integer(1))
        try document.set(
            "input",
            to: .list([
                DataReference(json.cid).value, DataReference(plain.cid, as: .base64).value,
                DataReference(json.cid, as: .text).value, DataReference(cbor.cid, as: .base64).value,
            ]))
        let store = [json, plain, cbor]
        let resolved = try document.resolving { cid in store.first { $0.cid == cid }?.bytes }
        #expect(try document.references().map(\.cid) == [json.cid, plain.cid, json.cid, cbor.cid])
        #expect(try resolved.references().isEmpty)
        #expect(resolved["input"] == (try value(#"[{"n":1.0},"/wA=","{\"n\":1.0}","oA=="]"#)))
        #expect(failure { _ = try document.resolving { _ in nil } } == .badReference)
        #expect(failure { _ = try document.resolving { _ in [1] } } == .hashMismatch)
    }

    @Test(
        "a value that has $cid and is no reference is refused",
        arguments: [
            #"{"$cid":7}"#, #"{"$cid":"nonsense"}"#, #"{"$cid":"","x":1}"#,
            #"{"$cid":"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku","x":1}"#,
            #"{"$cid":"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku","$as":"gold"}"#,
        ])
    func badReferences(_ json: String) throws {
        var document = try sample()
        try document.set("input", to: .list([try value(json)]))
        #expect(failure { _ = try document.references() } == .badReference)
        #expect(failure { _ = try document.resolving { _ in [] } } == .badReference)
    }

    @Test("data that asks for more data is left as it is, and data that is too much is refused")
    func referencesAreBounded() throws {
        let inner = Block([0x31], codec: .raw)
        let bytes = DataReference(inner.cid).value.compact
        let outer = Block(bytes, codec: .raw)
        var document = try sample()
        try document.set("input", to: DataReference(outer.cid).value)
        let resolved = try document.resolving { _ in bytes }
        #expect(try resolved.references() == [DataReference(inner.cid)])
        let many = Array(repeating: DataReference(outer.cid).value, count: 1025)
        try document.set("input", to: .list(many))
        #expect(failure { _ = try document.resolving { _ in bytes } } == .tooLarge)
        let big = Block(Array("\"\(String(repeating: "x", count: 1000))\"".utf8), codec: .raw)
        try document.set("input", to: .list(Array(repeating: DataReference(big.cid).value, count: 1000)))
        let code = failure {
            _ = try document.resolving(limits: DocumentLimits(byteCountMax: 200_000)) { _ in big.bytes }
        }
        #expect(code == .tooLarge)
    }

    @Test("phase 5: the inner context cannot change the copy that it receives")
    func frozen() throws {
        let start = try sample().becoming(.running)
        let before = start.bytes
        let end = try start.processed { frozen throws(ExecutionError) in
            var copy = frozen.document
            try copy.set("result", to: .integer(1))
            return .document(copy)
        }
        #expect(start.bytes == before && end["result"] == .integer(1))
    }

    @Test("phase 5: a new document and a delta are taken alike")
    func newDocumentOrDelta() throws {
        var start = try sample()
        try start.set("input", to: try value(#"{"a":1,"b":[2],"c":{"d":3}}"#))
        start = try start.becoming(.running)
        let delta = try value(#"{"input":{"b":null,"c":{"d":null,"e":4}},"result":{"f":null,"g":5}}"#)
        let merged = try start.processed { _ throws(ExecutionError) in .delta(delta) }
        #expect(merged["input"] == (try value(#"{"a":1,"c":{"e":4}}"#)))
        #expect(merged["result"] == (try value(#"{"g":5}"#)))
        #expect(merged == (try start.processed { _ throws(ExecutionError) in .document(merged) }))
    }

    @Test(
        "merge patches give what RFC 7396 says",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func mergePatch(_ target: String, _ patch: String, _ result: String) throws {
        #expect(text(try value(target).merging(try value(patch)).compact) == result)
    }

    @Test(
        "phase 5: purity is enforced where identity is concerned: neither a document nor a delta changes it")
    func identityHolds() throws {
        let start = try sample().becoming(.running)
        for key in ["uid", "protocol", "context", "parentUid", "timestamp", "status"] {
            for value in [DocumentValue.null, .string("b2")] {
                let code = failure {
                    _ = try start.processed { _ throws(ExecutionError) in
                        .delta(.object([DocumentMember(DocumentText(key), value)]))
                    }
                }
                #expect(code == .identity, "\(key)")
            }
        }
        let other = try sample("b2").becoming(.running)
        let ended = try start.becoming(.completed)
        for document in [other, ended] {
            let code = failure {
                _ = try start.processed { _ throws(ExecutionError) in .document(document) }
            }
            #expect(code == .identity)
        }
        #expect(
            failure { _ = try start.processed { _ throws(ExecutionError) in .delta(.null) } } == .badJSON)
    }

    @Test("an execution is built anew from the CIDs of its start and end alone")
    func rehydration() throws {
        var start = try sample()
        try start.set("input", to: .integer(2))
        start = try start.becoming(.running)
        let end = try start.merging(try value(#"{"result":4}"#)).becoming(.completed)
        let blocks = [start.block, end.block]
        let fetch = { (cid: CID) in blocks.first { $0.cid == cid }?.bytes }
        let execution = try RehydratedExecution(start: start.block.cid, end: end.block.cid, fetch: fetch)
        #expect(execution.start.canonical == start.canonical && execution.end.canonical == end.canonical)
        #expect(execution.changes.changes.map(\.path).sorted() == ["/result", "/status"])
        let cases: [(CID, CID, (CID) -> [UInt8]?, ExecutionFailure)] = [
            (start.block.cid, end.block.cid, { _ in nil }, .missingSnapshot),
            (start.block.cid, end.block.cid, { _ in end.block.bytes }, .hashMismatch),
            (end.block.cid, end.block.cid, fetch, .badStatus),
            (start.block.cid, start.block.cid, fetch, .badStatus),
            (
                start.block.cid, try Self.foreignEnd(),
                { $0 == start.block.cid ? start.block.bytes : try? Self.foreign() }, .identity
            ),
            (
                CID(of: start.bytes, codec: .raw), end.block.cid,
                { $0 == end.block.cid ? end.block.bytes : start.bytes }, .badJSON
            ),
        ]
        for (first, last, fetch, wanted) in cases {
            #expect(failure { _ = try RehydratedExecution(start: first, end: last, fetch: fetch) } == wanted)
        }
    }

    private static func foreign() throws -> [UInt8] {
        try sample("b2").becoming(.running).becoming(.completed).canonical
    }

    private static func foreignEnd() throws -> CID { CID(of: try foreign(), codec: .raw) }

    @Test("recovery restarts from the start snapshot and says what it redoes")
    func recovery() throws {
        let log = try ExecutionLog(
            start("a1") + start("k1", parent: "a1") + start("k2", parent: "k1") + start("b1")
                + becomes("b1", .completed))
        let json = text(try sample(context: "/").bytes).replacing("created", with: "running")
        let document = try ExecutionDocument(decoding: Array(json.utf8))
        let uid = try ExecutionUID("a1")
        let plan = try RecoveryPlan(
            start: document, labels: [.start, try SnapshotLabel("parse")], uid: uid, log: log)
        #expect(
            plan.sentences == [
                "a1 was running and restarts from its start snapshot",
                "processing up to the snapshot parse is redone", "k1, which it triggered, is triggered anew",
            ])
        let done = failure {
            _ = try RecoveryPlan(start: document, labels: [], uid: try ExecutionUID("b1"), log: log)
        }
        #expect(done == .badTransition)
        let wrong = failure { _ = try RecoveryPlan(start: try sample("k1"), labels: [], uid: uid, log: log) }
        #expect(wrong == .identity)
    }
}
