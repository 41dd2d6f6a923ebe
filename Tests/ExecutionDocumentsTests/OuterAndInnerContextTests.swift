import ExecutionDocuments
import IPLD
import MeshCore
import MeshTestSupport
import Testing

/// Inner processing with nothing but its document: the sum of `input`.
private func sum(_ frozen: FrozenDocument) throws(ExecutionError) -> InnerResult {
    guard case .list(let numbers) = frozen["input"] else {
        throw ExecutionError(.badReference, "there is no list to add up")
    }
    var total: Int64 = 0
    for case .number(let number) in numbers { total += number.integer ?? 0 }
    return .delta(.object([DocumentMember("result", .integer(total))]))
}

@Suite("Outer and Inner Context", .tags(.Size.small))
struct OuterAndInnerContextTests {
    private static func running(_ input: String) throws -> ExecutionDocument {
        var document = try sample()
        try document.set("input", to: try value(input))
        return try document.becoming(.running)
    }

    @Test("the outer context assembles the document, hands it to the inner one and takes its result back")
    func handOff() throws {
        let data = Array("[4,5,6]".utf8)
        let block = Block(data, codec: .raw)
        var outer = try sample()
        try outer.set("input", to: DataReference(block.cid).value)
        outer = try outer.resolving { $0 == block.cid ? data : nil }
        let start = try outer.becoming(.running)
        let end = try start.processed(by: sum).becoming(.completed)
        #expect(end["result"] == .integer(15))
        #expect(
            ChangeRecord(from: start, to: end).changes.map(\.path).sorted() == ["/result", "/status"])
    }

    @Test("the inner context sees the document it was handed and nothing else")
    func operatesOnlyOnTheDocument() throws {
        let start = try Self.running("[1,2]")
        var seen: FrozenDocument?
        _ = try start.processed { frozen throws(ExecutionError) in
            seen = frozen
            return try sum(frozen)
        }
        #expect(seen?.document == start)
    }

    @Test("inner processing is tested with a document alone: no store, no folder, no clock")
    func testable() throws {
        #expect(try Self.running("[1,2,3]").processed(by: sum)["result"] == .integer(6))
        #expect(failure { _ = try Self.running("7").processed(by: sum) } == .badReference)
    }

    @Test("the same document gives the same bytes, and processing that does not is found out")
    func reproducible() throws {
        let start = try Self.running("[1,2,3]")
        #expect(
            try start.processed(isChecked: true, by: sum) == start.processed(isChecked: true, by: sum))
        var calls: Int64 = 0
        let impure = failure {
            _ = try start.processed(isChecked: true) { _ throws(ExecutionError) in
                calls += 1
                return .delta(.object([DocumentMember("result", .integer(calls))]))
            }
        }
        #expect(impure == .impure && calls == 2)
    }

    @Test("a protocol without an inner context writes its result into the document itself")
    func optional() throws {
        var document = try sample().becoming(.running)
        try document.set("result", to: .boolean(true))
        #expect(try document.becoming(.completed)["result"] == .boolean(true))
    }

    @Test("the inner context may keep a processing log of its own in the document")
    func ownLog() throws {
        let end = try Self.running("[1]").processed { _ throws(ExecutionError) in
            .delta(.object([DocumentMember("processing", .list([.string("read"), .string("added")]))]))
        }
        #expect(end["processing"] == .list([.string("read"), .string("added")]))
    }

    @Test("inline processing and factored out processing give the same document")
    func gradualSeparation() throws {
        let start = try Self.running("[1,2,3]")
        var inline = start
        try inline.set("result", to: .integer(6))
        #expect(try start.processed(by: sum) == inline)
    }
}
