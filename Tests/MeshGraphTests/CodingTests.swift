import IPLD
import MeshCore
import MeshGraph
import MeshIdentity
import MeshTestSupport
import Testing

private let everyValue: [GraphValue] = [
    .null, .bool(true), .bool(false), .int(.max), .int(.min), .int(0), .float(-0.5), .float(0),
    .string("naïve \u{0}"), .timestamp(-1), .duration(5), .hash(Bytes32([UInt8](repeating: 9, count: 32))),
    .bytes([1, 2]), .bytes([]), .list([]), .list([.list([.int(1)]), .string("x"), .null]),
]

private struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let item: IPLDValue

    init(_ what: String, _ item: IPLDValue) {
        testDescription = what
        self.item = item
    }
}

private func number(_ value: UInt64) -> IPLDValue { .integer(negative: false, magnitude: value) }

/// A change of the given tables and operations.
private func change(
    _ names: [String], _ operations: [IPLDValue], authors: [IPLDValue] = []
) -> IPLDValue {
    .list([.list(names.map(IPLDValue.text)), .list(authors), .list(operations)])
}

private let spawn = IPLDValue.list([number(0), number(0), .null, .list([])])
private func spawn(_ attributes: [IPLDValue]) -> IPLDValue {
    .list([number(0), number(0), .null, .list(attributes)])
}

private let author = IPLDValue.bytes(authors[0].bytes)
private func deep(_ depth: Int) -> IPLDValue {
    depth == 0 ? .null : .list([number(3), .list([deep(depth - 1)])])
}

private let refusals: [Refusal] = [
    Refusal("nothing", .list([])),
    Refusal("a fourth part", .list([.list([]), .list([]), .list([]), .list([])])),
    Refusal("an unused name", change(["A"], [])),
    Refusal("an unused author", change([], [], authors: [author])),
    Refusal("an author that is none", change(["A"], [spawn], authors: [.bytes([1, 2])])),
    Refusal("a name twice", change(["A", "A"], [spawn])),
    Refusal("an empty name", change([""], [spawn])),
    Refusal("a name with a slash", change(["A/b"], [spawn])),
    Refusal("a name that is not ASCII", change(["\u{212A}"], [spawn])),
    Refusal("a name that is too long", change([String(repeating: "a", count: 129)], [spawn])),
    Refusal(
        "names out of order", change(["A", "B"], [.list([number(0), number(1), .null, .list([])]), spawn])),
    Refusal("an unknown name", change([], [spawn])),
    Refusal("an unknown operation", change(["A"], [spawn, .list([number(5), number(0)])])),
    Refusal("an operation that lacks a part", change(["A"], [.list([number(0), number(0), .null])])),
    Refusal(
        "an operation with one part more",
        change(["A"], [.list([number(0), number(0), .null, .list([]), .null])])),
    Refusal("a map for an operation", change(["A"], [spawn, .map([])])),
    Refusal("an empty key", change(["A"], [.list([number(0), number(0), .text(""), .list([])])])),
    Refusal(
        "a key as unique edges have", change(["A"], [.list([number(0), number(0), .text("(a)"), .list([])])])),
    Refusal(
        "a key that is too long",
        change(["A"], [.list([number(0), number(0), .text(String(repeating: "k", count: 257)), .list([])])])),
    Refusal("an attribute without a value", change(["A", "b"], [spawn([number(1)])])),
    Refusal("an attribute twice", change(["A", "b"], [spawn([number(1), .null, number(1), .bool(true)])])),
    Refusal("an edge without targets", change(["A"], [.list([number(1), number(0), .list([]), .list([])])])),
    Refusal(
        "an edge of 17 targets",
        change(
            ["A", "e"],
            [
                spawn,
                .list([number(1), number(1), .list(Array(repeating: number(0), count: 17)), .list([])]),
            ])),
    Refusal(
        "a target that is the edge itself",
        change(["e"], [.list([number(1), number(0), .list([number(0)]), .list([])])])),
    Refusal(
        "a target that adds nothing",
        change(
            ["A", "e"],
            [
                spawn, .list([number(4), number(0), .list([number(0)])]),
                .list([number(1), number(1), .list([number(1)]), .list([])]),
            ])),
    Refusal("an end of nothing", change(["A"], [spawn, .list([number(4), number(0), .list([])])])),
    Refusal(
        "an end of one add twice",
        change(["A"], [spawn, .list([number(4), number(0), .list([number(0), number(0)])])])),
    Refusal(
        "an index beyond what numbers hold",
        change(
            ["A"],
            [
                spawn,
                .list([number(4), .list([number(0), number(1), number(1 << 28)]), .list([number(0)])]),
            ],
            authors: [author])),
    Refusal(
        "an author out of order",
        change(
            ["A"],
            [spawn, .list([number(4), .list([number(1), number(1), number(1)]), .list([number(0)])])],
            authors: [author])),
    Refusal("a map for a value", change(["A", "b"], [spawn([number(1), .map([])])])),
    Refusal(
        "a link for a value", change(["A", "b"], [spawn([number(1), .link(CID(of: [], codec: .raw))])])),
    Refusal("an integer beyond 64 bits", change(["A", "b"], [spawn([number(1), number(1 << 63)])])),
    Refusal(
        "an unknown kind of value", change(["A", "b"], [spawn([number(1), .list([number(4), .null])])])),
    Refusal("a short hash", change(["A", "b"], [spawn([number(1), .list([number(2), .bytes([1])])])])),
    Refusal("lists that are too deep", change(["A", "b"], [spawn([number(1), deep(10)])])),
    Refusal(
        "a string that is too long",
        change(["A", "b"], [spawn([number(1), .text(String(repeating: "s", count: 65_537))])])),
    Refusal(
        "bytes that are too long",
        change(["A", "b"], [spawn([number(1), .bytes([UInt8](repeating: 0, count: 65_537))])])),
    Refusal(
        "a list that is too long",
        change(
            ["A", "b"],
            [spawn([number(1), .list([number(3), .list(Array(repeating: .null, count: 4097))])])])),
]

@Suite("A change of the graph as bytes", .tags(.Size.small))
struct CodingTests {
    @Test("What is written is read again, for every kind of operation and value", arguments: Seed.sample(20))
    func roundTrip(_ seed: Seed) throws {
        var random = RandomChanges(seed.generator)
        for placed in random.make(authorCount: 3, count: 6) {
            // What the random changes hold beyond the format is refused in writing too.
            guard let bytes = try? placed.change.encoded() else { continue }
            let read = try GraphChange(decoding: bytes)
            #expect(read == placed.change)
            #expect(try read.encoded() == bytes)
        }
        let values = GraphChange(operations: [
            .spawn(
                type: "Everything", key: "it",
                attributes: everyValue.enumerated().map { GraphAttribute(name: "a\($0)", value: $1) }),
            .set(.added(0), add: .added(0), attribute: "a1", value: .int(2)),
            .set(
                .entity(.key(type: "T", key: "k")), add: operationAdd(2, .max, 7), attribute: "b",
                value: .null),
            .end(.entity(operationID(1, 3, 4, entry: 2)), adds: [operationAdd(1, 3, 4), .added(0)]),
            .link(
                edge: "e", targets: [.added(0), .entity(operationID(3, 1, 1))], isUnique: true, attributes: []
            ),
            .end(.added(4), adds: [.added(4)]),
        ])
        #expect(try GraphChange(decoding: values.encoded()) == values)
        #expect(try GraphChange(decoding: GraphChange(operations: []).encoded()).operations.isEmpty)
    }

    @Test("A change that is not in order is refused", arguments: refusals)
    private func refused(_ refusal: Refusal) throws {
        #expect(throws: IPLDError.self) { try GraphChange(decoding: refusal.item.encoded) }
    }

    @Test("The items beside those that are refused are read")
    func accepted() throws {
        #expect(try GraphChange(decoding: change(["A"], [spawn]).encoded).operations.count == 1)
        let bytes = change(["A", "b"], [spawn([number(1), deep(8)])]).encoded
        #expect(try GraphChange(decoding: bytes).operations.count == 1)
        #expect(throws: IPLDError.self) { try GraphChange(decoding: bytes + [0]) }
        #expect(throws: IPLDError.self) { try GraphChange(decoding: Array(bytes.dropLast())) }
    }

    @Test(
        "What could not be read again is not written",
        arguments: [
            GraphOperation.spawn(type: "", key: nil, attributes: []),
            .spawn(type: "A", key: "(k", attributes: []),
            .spawn(type: "A", key: nil, attributes: [GraphAttribute(name: "a", value: .float(.nan))]),
            .spawn(
                type: "A", key: nil,
                attributes: [GraphAttribute(name: "a", value: .entity(LocalID(rawValue: 1)))]),
            .spawn(
                type: "A", key: nil,
                attributes: [
                    GraphAttribute(name: "a", value: .null), GraphAttribute(name: "a", value: .null),
                ]),
            .link(edge: "e", targets: [], isUnique: false, attributes: []),
            .link(edge: "e", targets: [.added(0)], isUnique: false, attributes: []),
            .end(.entity(.key(type: "A", key: "b")), adds: []),
        ])
    func unwritable(_ operation: GraphOperation) {
        #expect(throws: IPLDError.self) { try GraphChange(operations: [operation]).encoded() }
    }

    @Test(
        "Bytes that somebody has changed are refused or read, and never stop the program",
        arguments: Seed.sample(40))
    func mutated(_ seed: Seed) throws {
        var generator = seed.generator
        var random = RandomChanges(SeededGenerator(seed: generator.next()))
        var refusedCount = 0
        for placed in random.make(authorCount: 2, count: 6) {
            guard let bytes = try? placed.change.encoded() else { continue }
            for _ in 0..<40 {
                var mutated = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let place = Int.random(in: 0..<mutated.count, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: mutated[place] = UInt8.random(in: 0...255, using: &generator)
                    case 1: mutated.remove(at: place)
                    default: mutated.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                    }
                    if mutated.isEmpty { break }
                }
                do {
                    let read = try GraphChange(decoding: mutated)
                    // There is one form for each change.
                    #expect(try read.encoded() == mutated)
                } catch { refusedCount += 1 }
            }
        }
        #expect(refusedCount > 0)
    }
}
