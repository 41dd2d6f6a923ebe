import ExecutionDocuments
import MeshCore
import MeshTestSupport
import Testing

@Suite("The Execution Document", .tags(.Size.small))
struct TheExecutionDocumentTests {
    @Test("a document is plain JSON and carries its whole state, not only a name")
    func plainData() throws {
        var document = try sample()
        try document.set("input", to: try value(#"{"rows":[1,2,3]}"#))
        let read = try ExecutionDocument(decoding: document.bytes)
        #expect(read == document)
        #expect(read["input"]?["rows"] == .list([.integer(1), .integer(2), .integer(3)]))
    }

    @Test("a document is a value: whoever is handed one sees all of it, and changes only a copy")
    func passedExplicitly() throws {
        let document = try sample()
        var copy = document
        try copy.set("result", to: .boolean(true))
        #expect(document["result"] == nil && copy["result"] == .boolean(true))
    }

    @Test("a new document has its identity and its instant and nothing else")
    func startsMinimal() throws {
        #expect(
            text(try sample(parent: "p9").bytes)
                == #"{"uid":"a1","protocol":"mesh.job","context":"/projects/a","parentUid":"p9","#
                + #""timestamp":"2026-11-21T12:00:00.000Z","status":"created"}"#)
        #expect(try sample().open.isEmpty)
    }

    @Test("a document grows by inputs, configuration and results, in the order in which they come")
    func grows() throws {
        var document = try sample()
        try document.set("config", to: try value(#"{"mode":"fast"}"#))
        try document.set("input", to: .integer(1))
        try document.set("result", to: .null)
        #expect(document.open.map(\.key) == ["config", "input", "result"])
    }

    @Test("at every point the document's bytes are all that is needed to go on from there")
    func completeSnapshot() throws {
        var document = try sample()
        for step in 0..<5 {
            try document.set(DocumentText("step\(step)"), to: .integer(Int64(step)))
            let resumed = try ExecutionDocument(decoding: document.bytes)
            #expect(resumed == document && resumed.open.count == step + 1)
        }
    }

    @Test("a protocol adds whatever keys it needs; no schema refuses them, and they keep their bytes")
    func openByConvention() throws {
        let json =
            "{ \"x-own\" : [1.0, 1e2 ,\"\\u0041\"] ,\"uid\":\"u\",\"protocol\":\"p\",\"context\":\"c/d\","
            + "\"timestamp\":\"2026-11-21T12:00:00Z\", \"status\" : \"created\",\"\":{} }\n"
        let document = try ExecutionDocument(decoding: Array(json.utf8))
        #expect(text(document.bytes) == json)
        #expect(document.parentUID == nil && document.context.description == "/c/d")
        #expect(
            text(try document.becoming(.running).bytes)
                == json.replacing("\"created\"", with: "\"running\""))
    }

    @Test(
        "a document without a field of its identity, or with a wrong one, is refused",
        arguments: [
            (#""uid":"a1","#, "", ExecutionFailure.identity), (#""uid":"a1""#, #""uid":7"#, .identity),
            (#""uid":"a1""#, #""uid":"../a""#, .badName), (#""uid":"a1""#, #""uid":"""#, .badName),
            (#""protocol":"mesh.job""#, #""protocol":"a/b""#, .badName),
            (#""protocol":"mesh.job""#, #""protocol":"log""#, .badName),
            (#""context":"/projects/a","#, "", .identity),
            (#""parentUid":null"#, #""parentUid":[]"#, .identity),
            (#""parentUid":null"#, #""parentUid":".p""#, .badName),
            (#""2026-11-21T12:00:00.000Z""#, #""yesterday""#, .identity),
            (#""status":"created""#, #""status":"paused""#, .badStatus),
            (#""status":"created""#, #""status":null"#, .identity),
        ])
    func identityIsManaged(_ part: String, _ replacement: String, _ wanted: ExecutionFailure) throws {
        let spoilt = text(try sample().bytes).replacing(part, with: replacement)
        #expect(failure { _ = try ExecutionDocument(decoding: Array(spoilt.utf8)) } == wanted)
    }

    @Test("no field of identity is written as an open one")
    func identityIsNotOpen() throws {
        var document = try sample()
        for key in ["uid", "protocol", "context", "parentUid", "timestamp", "status"] {
            #expect(failure { try document.set(DocumentText(key), to: .string("x")) } == .identity)
        }
        #expect(document == (try sample()))
    }

    @Test(
        "a context that would leave the root is refused",
        arguments: [
            "..", "/..", "a/../b", "/a/..", ".", "a/./b", "//a", "a//b", "a/", "/a/", "//", ".spl",
            "/a/.spl/b",
            ".SPL", "a\u{0}b", "a\nb", "a\\b", String(repeating: "a", count: 256),
            String(repeating: "a/", count: 40) + "a", String(repeating: "abc/", count: 300) + "a",
        ])
    func contexts(_ path: String) {
        #expect(failure { _ = try ContextPath(path) } == .badContext)
    }

    @Test("the leading slash of a context means the root, and may be left out")
    func root() throws {
        #expect(try ContextPath("/") == .root)
        #expect(try ContextPath("") == .root)
        #expect(try ContextPath("/a/b") == ContextPath("a/b"))
        #expect(try ContextPath("/a/..b/ü").components == ["a", "..b", "ü"])
    }
}
