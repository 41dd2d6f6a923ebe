internal import MeshGraph

/// What every schema has below it: the types under which the mesh shows itself, and what the kernel writes.
///
/// Nobody declares or writes these. All but `_DeadLetter` are views: their rows are read from the mesh's records
/// when a query asks for them, and nothing is stored twice.
public enum SystemOntology {
    /// What the kernel stores when a delivery is given up.
    public static let deadLetter = "_DeadLetter"
    /// Leads from a match, or a part of it, to its dead letter.
    public static let deadLetterEdge = "_watch_dead_letter"

    /// The schema with the system's types alone.
    public static let schema: GraphSchema = {
        var schema = GraphSchema()
        for (name, documentation, attributes) in tables {
            schema.nodes[name] = NodeType(
                name: name, isAbstract: false, isSealed: true, isSystem: true, parents: [], ancestors: [],
                concreteTypes: [name], attributes: attributes.map { $0.attribute(of: name) },
                documentation: documentation)
        }
        schema.edges[deadLetterEdge] = EdgeType(
            name: deadLetterEdge, isSystem: true,
            parameters: [
                EdgeType.Parameter(name: "match", type: .anyNode),
                EdgeType.Parameter(name: "letter", type: .node(deadLetter)),
            ],
            isSymmetric: false, noSelf: false, isAcyclic: false, isUnique: false, cardinalities: [],
            onKillSource: .unlink, onKillTarget: .unlink, attributes: [],
            documentation: "Leads from what matched to the letter that gave it up.")
        return schema
    }()

    private struct Column {
        let name: String
        let type: StaticType
        let isUnique: Bool
        let isIndexed: Bool

        func attribute(of owner: String) -> AttributeType {
            AttributeType(
                name: name, type: type, isRequired: !type.isOptional, isUnique: isUnique, isReadonly: true,
                isIndexed: isIndexed || isUnique, checks: [], defaultValue: nil, declaredIn: owner,
                documentation: nil)
        }
    }

    /// Always there.
    private static func some(_ name: String, _ type: ScalarType) -> Column {
        Column(name: name, type: .scalar(type), isUnique: false, isIndexed: false)
    }

    /// There when it is known.
    private static func maybe(_ name: String, _ type: ScalarType) -> Column {
        Column(name: name, type: .either([.scalar(type), .null]), isUnique: false, isIndexed: false)
    }

    /// By which one row is found without reading the others.
    private static func key(_ name: String, _ type: ScalarType = .string) -> Column {
        Column(name: name, type: .scalar(type), isUnique: true, isIndexed: true)
    }

    /// By which a few rows are found without reading the others.
    private static func indexed(_ name: String, _ type: ScalarType = .string) -> Column {
        Column(name: name, type: .scalar(type), isUnique: false, isIndexed: true)
    }

    private static func texts(_ name: String) -> Column {
        Column(name: name, type: .list(.scalar(.string)), isUnique: false, isIndexed: false)
    }

    private static let tables: [(String, String, [Column])] = [
        (
            "MeshNode", "A node of the mesh.",
            [
                key("did"), indexed("node_id"), maybe("location", .string), maybe("memory_mib", .int),
                maybe("cpu", .int), maybe("storage_mib", .int), texts("languages"), some("reputation", .int),
                some("state", .string),
            ]
        ),
        (
            "Job", "A job, as this node knows it.",
            [
                key("job_id"), key("manifest_cid"), some("description", .string), some("status", .string),
                some("settled_status", .string), some("verification", .string), maybe("executor", .string),
                some("submitter", .string), maybe("epoch", .int), some("created_at", .timestamp),
                maybe("assigned_at", .timestamp), maybe("started_at", .timestamp),
                maybe("finished_at", .timestamp), maybe("outcome", .string), maybe("exit_code", .int),
                maybe("error", .string), maybe("receipt_cid", .string), some("receipt_anchored", .bool),
                maybe("fuel_used", .int), maybe("memory_peak_bytes", .int), maybe("host_calls", .int),
                maybe("io_bytes", .int), maybe("wall_ms", .int), maybe("charged", .int),
                some("resource_type", .string), some("language", .string), some("code", .string),
                some("priority", .string), some("scope", .string), maybe("federation", .string),
                maybe("reason", .string), maybe("parent", .string),
            ]
        ),
        (
            "Bid", "An offer to run a job.",
            [
                indexed("job_id"), some("node_id", .string), indexed("did"), some("bid", .int),
                some("estimated_seconds", .float), some("reputation", .int), maybe("location", .string),
                maybe("score", .int), some("valid_until", .timestamp), some("acceptable", .bool),
                maybe("reason", .string),
            ]
        ),
        (
            "Award", "A job given to a bidder.",
            [
                key("award_cid"), indexed("job_id"), some("epoch", .int), indexed("executor"),
                some("amount", .int), some("time", .timestamp),
            ]
        ),
        (
            "Receipt", "What an executor says of a run.",
            [
                key("receipt_cid"), indexed("job_id"), indexed("executor"), some("epoch", .int),
                some("outcome", .string), maybe("exit_code", .int), maybe("error", .string),
                maybe("fuel_used", .int), some("started_at", .timestamp), some("finished_at", .timestamp),
            ]
        ),
        (
            "Attestation", "A member's verdict on a receipt.",
            [
                key("attestation_cid"), indexed("receipt_cid"), indexed("job_id"), indexed("member"),
                some("verdict", .string), some("method", .string), maybe("reason", .string),
            ]
        ),
        (
            "Token", "A grant of resources.",
            [
                key("grant_cid"), indexed("holder"), some("resource_type", .string), some("amount", .int),
                maybe("scope", .string), maybe("expires", .timestamp),
            ]
        ),
        (
            "Feed", "An author's feed, at its newest anchor.",
            [
                indexed("did"), maybe("node_id", .string), indexed("scope"), some("seq", .int),
                maybe("cid", .string), maybe("time", .timestamp), some("frozen", .bool),
            ]
        ),
        (
            "_Watch", "A watch that is registered here.",
            [
                some("pattern", .string), some("mode", .string), maybe("group", .string),
                some("status", .string), some("ordering", .string), some("delivery", .string),
                some("visibility", .string), some("buffer_size", .int), some("on_full", .string),
                some("created_at", .timestamp), some("events_delivered", .int), some("events_pending", .int),
                maybe("last_event_at", .timestamp),
            ]
        ),
        (
            "_Conflict", "A constraint that a merge has broken, or a declaration that lost to another.",
            [
                // unique, cardinality, acyclic or declaration.
                indexed("kind"), indexed("name"), some("detail", .string), texts("entities"),
            ]
        ),
        (
            deadLetter, "A match that no consumer could take.",
            [
                some("original_match", .string), some("failure_reason", .string),
                some("delivery_attempts", .int), some("created_at", .timestamp),
            ]
        ),
    ]
}

extension NodeType {
    /// Whether its rows are read from the mesh's records: nothing of it is stored in the graph.
    public var isVirtual: Bool { isSystem && name != SystemOntology.deadLetter }
}
