import MEW
import MeshCore
import MeshGraph
import MeshIdentity
import MeshTestSupport
import Testing

private struct Arrival: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let operations: [GraphOperation]
    let code: ErrorCode?

    init(_ title: String, _ code: ErrorCode?, _ operations: GraphOperation...) {
        testDescription = title
        self.operations = operations
        self.code = code
    }
}

private let author = DID(publicKey: Bytes32(Array(repeating: 9, count: 32)))
private let someone = GraphTarget.entity(.operation(author: author, seq: 1, index: 0))
private let someAdd = GraphAdd.operation(author: author, seq: 1, index: 0)

private func spawn(_ type: String, key: String? = nil, _ attributes: (String, GraphValue)...)
    -> GraphOperation
{
    .spawn(type: type, key: key, attributes: attributes.map { GraphAttribute(name: $0.0, value: $0.1) })
}

private func link(
    _ edge: String, _ targets: [GraphTarget], isUnique: Bool = false, _ attributes: (String, GraphValue)...
) -> GraphOperation {
    .link(
        edge: edge, targets: targets, isUnique: isUnique,
        attributes: attributes.map { GraphAttribute(name: $0.0, value: $0.1) })
}

private func key(_ type: String) -> GraphTarget { .entity(.key(type: type, key: "k")) }

private let alice = spawn("Person", ("name", .string("alice")))

@Suite("A change from elsewhere is judged by its own ontology", .tags(.Size.small))
struct SchemaChangeTests {
    private func checker() throws -> ChangeChecker {
        ChangeChecker(
            try schema(
                """
                [abstract] node Thing { note: String? }
                node Person : Thing { name: String [required, match: "[a-z]+"], age: Float?, tags: String[]? }
                node Robot : Thing { age: Int? [>= 0] }
                edge knows(a: Person, b: Person) { since: Timestamp = now() }
                edge owns(Person, Thing) [unique]
                edge doubts(edge<knows>, any)
                edge about(edge<any> | Robot)
                """))
    }

    @Test(
        "what the change and the ontology decide, and nothing else, makes it void",
        arguments: [
            Arrival("nothing at all", nil),
            Arrival("a node", nil, alice),
            Arrival("a node with a key", nil, spawn("Robot", key: "r2")),
            Arrival("an unknown type", .unknownType, alice, spawn("Nobody")),
            Arrival("an edge spawned", .unknownType, spawn("knows")),
            Arrival("an abstract type", .abstractType, spawn("Thing")),
            Arrival("a view of the system's", .systemType, spawn("Job", ("job_id", .string("x")))),
            Arrival("a watch", .systemType, spawn("_Watch")),
            Arrival(
                "a dead letter, which the kernel writes", nil, alice,
                spawn(
                    "_DeadLetter", ("original_match", .string("{}")), ("failure_reason", .string("no_retry")),
                    ("delivery_attempts", .int(1)), ("created_at", .timestamp(0))),
                link("_watch_dead_letter", [.added(0), .added(1)])),
            Arrival("an empty key", .invalidLiteral, spawn("Robot", key: "")),
            Arrival("a key of a unique edge", .invalidLiteral, spawn("Robot", key: "(a)")),
            Arrival(
                "an endless key", .invalidLiteral, spawn("Robot", key: String(repeating: "k", count: 257))),
            Arrival("without what is required", .missingRequired, spawn("Person", ("age", .float(1)))),
            Arrival("null for what is required", .typeMismatch, spawn("Person", ("name", .null))),
            Arrival("an unknown attribute", .unknownAttribute, spawn("Robot", ("nme", .int(1)))),
            Arrival(
                "an attribute twice", .duplicateName, spawn("Robot", ("age", .int(1)), ("age", .int(2)))),
            Arrival(
                "more attributes than there are", .unknownAttribute,
                spawn("Robot", ("age", .int(1)), ("note", .null), ("x", .null))),
            Arrival("a value of another type", .typeMismatch, spawn("Robot", ("age", .float(1)))),
            Arrival(
                "an Int that nobody made a Float", .typeMismatch,
                spawn("Person", ("name", .string("a")), ("age", .int(1)))),
            Arrival(
                "a float that is none", .typeMismatch,
                spawn("Person", ("name", .string("a")), ("age", .float(.nan)))),
            Arrival(
                "an entity as a value", .typeMismatch, spawn("Robot", ("note", .entity(LocalID(rawValue: 1))))
            ),
            Arrival("a list", nil, spawn("Person", ("name", .string("a")), ("tags", .list([.string("x")])))),
            Arrival(
                "a list of others", .typeMismatch,
                spawn("Person", ("name", .string("a")), ("tags", .list([.int(1)])))),
            Arrival(
                "a value that a modifier refuses, which is the origin's business", nil,
                spawn("Robot", ("age", .int(-1)))),

            Arrival(
                "an edge", nil, alice, alice, link("knows", [.added(0), .added(1)], ("since", .timestamp(1)))),
            Arrival("an edge to what others made", nil, link("knows", [someone, someone])),
            Arrival("an unknown edge", .unknownEdge, link("hates", [someone, someone])),
            Arrival("a node linked", .unknownEdge, link("Person", [])),
            Arrival("too few targets", .edgeTargetCount, link("knows", [someone])),
            Arrival("too many targets", .edgeTargetCount, link("knows", [someone, someone, someone])),
            Arrival(
                "a target of another type", .edgeTargetType, alice, spawn("Robot"),
                link("knows", [.added(0), .added(1)])),
            Arrival(
                "a target below the type", nil, alice, spawn("Robot"),
                link("owns", [.added(0), .added(1)], isUnique: true)),
            Arrival("unique that is not", .typeMismatch, link("knows", [someone, someone], isUnique: true)),
            Arrival("not unique that is", .typeMismatch, link("owns", [someone, someone])),
            Arrival(
                "a target that comes later", .edgeTargetMissing, link("knows", [.added(1), someone]), alice),
            Arrival("a target that is itself", .edgeTargetMissing, link("doubts", [.added(0), someone])),
            Arrival("a target far away", .edgeTargetMissing, link("knows", [.added(.max), someone])),
            Arrival(
                "a target that adds nothing", .edgeTargetMissing,
                .set(someone, add: someAdd, attribute: "note", value: .null),
                link("knows", [.added(0), someone])),
            Arrival("a keyed target", nil, link("knows", [key("Person"), someone])),
            Arrival(
                "a keyed target of another type", .edgeTargetType, link("knows", [key("Robot"), someone])),
            Arrival("a keyed target of no type", .unknownType, link("knows", [key("Nobody"), someone])),
            Arrival("a view as a target", .systemType, link("doubts", [someone, key("Job")])),
            Arrival(
                "an edge on an edge", nil, alice, link("knows", [.added(0), .added(0)]),
                link("doubts", [.added(1), .added(0)])),
            Arrival(
                "a node where an edge belongs", .edgeTargetType, alice,
                link("doubts", [.added(0), .added(0)])),
            Arrival(
                "an edge where a node belongs", .edgeTargetType, alice,
                link("knows", [.added(0), .added(0)]),
                link("doubts", [.added(1), .added(1)])),
            Arrival("a union's edge", nil, link("about", [key("owns")])),
            Arrival("a union's node", nil, link("about", [key("Robot")])),
            Arrival("neither of a union", .edgeTargetType, link("about", [key("Person")])),

            Arrival(
                "a write to what it adds", nil, alice,
                .set(.added(0), add: .added(0), attribute: "age", value: .float(1))),
            Arrival(
                "a write of another type", .typeMismatch, alice,
                .set(.added(0), add: .added(0), attribute: "age", value: .int(1))),
            Arrival(
                "a write to a keyed one", nil,
                .set(key("Robot"), add: someAdd, attribute: "age", value: .int(1))),
            Arrival(
                "clearing what is required", .typeMismatch,
                .set(key("Person"), add: someAdd, attribute: "name", value: .null)),
            Arrival(
                "a write to what others made, by either type", nil,
                .set(someone, add: someAdd, attribute: "age", value: .int(1))),
            Arrival(
                "a write that no type takes", .typeMismatch,
                .set(someone, add: someAdd, attribute: "age", value: .string("x"))),
            Arrival(
                "a write to what nothing has", .unknownAttribute,
                .set(someone, add: someAdd, attribute: "zzz", value: .int(1))),
            Arrival(
                "a write to what only views have", .unknownAttribute,
                .set(someone, add: someAdd, attribute: "job_id", value: .string("x"))),
            Arrival(
                "a write to an add that is not there", .edgeTargetMissing,
                .set(someone, add: .added(7), attribute: "age", value: .int(1))),
            Arrival("an end", nil, .end(someone, adds: [someAdd])),
            Arrival("an end of what it added", nil, alice, .end(.added(0), adds: [.added(0)])),
            Arrival("an end of nothing", .edgeTargetMissing, .end(someone, adds: [])),
            Arrival("an end of a later add", .edgeTargetMissing, .end(someone, adds: [.added(3)])),
            Arrival("an end of a view", .systemType, .end(key("Job"), adds: [someAdd])),
        ])
    private func arrivals(_ arrival: Arrival) throws {
        let fault = try checker().fault(in: GraphChange(operations: arrival.operations))
        #expect(fault?.code == arrival.code, "\(String(describing: fault))")
    }

    @Test("the reason names the operation")
    func reason() throws {
        let fault = try checker().fault(in: GraphChange(operations: [alice, spawn("Nobody")]))
        #expect(fault?.message == "operation 1: there is no type Nobody")
    }

    @Test("random changes get an answer and never a trap", arguments: Seed.sample(200))
    func random(_ seed: Seed) throws {
        var generator = seed.generator
        let checker = try checker()
        let names = [
            "Person", "Robot", "Thing", "Job", "knows", "owns", "doubts", "about", "age", "name", "", "_x",
        ]
        let values: [GraphValue] = [
            .null, .int(1), .float(.nan), .string("a"), .list([.null]), .entity(LocalID(rawValue: 0)),
        ]
        func pick<Element>(_ choices: [Element]) -> Element {
            choices[Int.random(in: 0..<choices.count, using: &generator)]
        }
        func target() -> GraphTarget {
            pick([
                .added(UInt32.random(in: 0...6, using: &generator)), someone, key(pick(names)), .added(.max),
            ])
        }
        func attributes() -> [GraphAttribute] {
            (0..<Int.random(in: 0..<4, using: &generator)).map { _ in
                GraphAttribute(name: pick(names), value: pick(values))
            }
        }
        var voided = 0
        for _ in 0..<20 {
            let operations = (0..<Int.random(in: 1..<6, using: &generator)).map { _ -> GraphOperation in
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: .spawn(type: pick(names), key: pick([nil, "", "k"]), attributes: attributes())
                case 1:
                    .link(
                        edge: pick(names),
                        targets: (0..<Int.random(in: 0..<4, using: &generator)).map { _ in target() },
                        isUnique: Bool.random(using: &generator), attributes: attributes())
                case 2:
                    .set(
                        target(), add: pick([.added(0), someAdd]), attribute: pick(names), value: pick(values)
                    )
                default: .end(target(), adds: pick([[], [someAdd], [.added(1)]]))
                }
            }
            let change = GraphChange(operations: operations)
            let first = checker.fault(in: change)
            #expect(first == checker.fault(in: change))
            if first != nil { voided += 1 }
        }
        #expect(voided > 0)
    }
}
