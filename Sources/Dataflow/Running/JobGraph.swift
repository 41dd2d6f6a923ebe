internal import MeshRuntime

/// One thing that keeps a graph from running as a job.
public struct JobGraphFault: Sendable, Hashable {
    /// The stable code.
    public let code: String
    /// One sentence for people.
    public let message: String
    /// What to write instead, where that is known.
    public let hint: String?

    public init(code: String, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}

/// Everything that keeps a graph from running as a job; never empty.
public struct JobGraphError: Error, Sendable {
    public let faults: [JobGraphFault]

    init(_ faults: [JobGraphFault]) {
        self.faults = faults
    }

    init(_ code: String, _ message: String, hint: String? = nil) {
        faults = [JobGraphFault(code: code, message: message, hint: hint)]
    }
}

/// A graph's file that can run as a job, with what the job's arguments say.
///
/// Whether it can is known before anything runs, so that who submits it is told at once.
public struct JobGraph: Sendable {
    /// The most passes of one job.
    public static let passesMax = 100_000
    /// The output that holds the capture bundle.
    public static let captureName = "capture"
    /// The most files that a graph may append to; a receipt names no more outputs than 64.
    public static let filesMax = 60

    public let prepared: PreparedGraph
    public let passes: Int
    /// What the graph's jobs ask for, by node.
    let requests: [String: JobRequest]

    /// Reads and checks a file.
    ///
    /// - Parameters:
    ///   - code: The file's bytes.
    ///   - arguments: The job's arguments: nothing, or `--passes N`.
    ///   - memoryBytes: The job's limit; it bounds what is read and expanded.
    /// - Throws: Every fault, the one that decides first.
    public init(_ code: [UInt8], arguments: [String], memoryBytes: UInt64) throws(JobGraphError) {
        passes = try Self.passes(arguments)
        if code.starts(with: [0x00, 0x61, 0x73, 0x6d]) {
            throw JobGraphError(
                "dataflow.file", "this is a WebAssembly module and no graph", hint: "--language wasm runs it")
        }
        let needed = UInt64(code.count) * FlowMemory.perFileByte
        guard needed <= memoryBytes, code.count <= GraphLimits.fileBytesMax else {
            throw JobGraphError(
                "dataflow.too-large",
                "the file has \(code.count) bytes; with \(memoryBytes) bytes of memory a job reads \(min(memoryBytes / FlowMemory.perFileByte, UInt64(GraphLimits.fileBytesMax)))",
                hint: "give the job more memory (--min-memory)")
        }
        guard let text = String(validating: code, as: UTF8.self) else {
            throw JobGraphError("dataflow.file", "the file is not UTF-8")
        }
        let source = GraphSource(text, byteCountMax: Int(clamping: memoryBytes - needed))
        guard let prepared = source.prepared else {
            throw JobGraphError(source.faults.map { JobGraphFault(code: $0.code, message: $0.message) })
        }
        self.prepared = prepared
        requests = try Self.requests(prepared)
    }

    private static func passes(_ arguments: [String]) throws(JobGraphError) -> Int {
        guard let first = arguments.first else { return 1 }
        let words = first.hasPrefix("--passes=") ? ["--passes", String(first.dropFirst(9))] : [first]
        let all = words + arguments.dropFirst()
        guard all.count == 2, all[0] == "--passes", all[1].utf8.count <= 6, let passes = Int(all[1]),
            (1...passesMax).contains(passes)
        else {
            throw JobGraphError(
                "dataflow.argument",
                "a graph takes no entry, no environment and no argument but --passes N, with N from 1 to \(passesMax)"
            )
        }
        return passes
    }

    /// What its nodes and edges count, as ``GraphLimits/expansionBytesMax`` counts.
    var elementCount: Int { prepared.graph.nodes.count + prepared.graph.edges.count }
}

extension JobGraph {
    /// What depends on one node's surroundings, and what to do instead.
    private static let foreign: [String: (reason: String, hint: String)] = [
        "graph_query": (
            "the mesh's graph is not the same at every node and instant",
            "give the result as an input of the job and read it with the source file"
        ),
        "graph_mutation": (
            "whoever repeats the job would change the mesh's graph again",
            "write the statement with append_file, and apply the job's output once it is verified"
        ),
        "webhook": (
            "whoever repeats the job would call it again",
            "write the body with append_file, and call the webhook once the job is verified"
        ),
    ]

    /// Looks for what a job cannot do, and reads what its actions ask for.
    private static func requests(_ prepared: PreparedGraph) throws(JobGraphError) -> [String: JobRequest] {
        var faults: [JobGraphFault] = []
        var requests: [String: JobRequest] = [:]
        var files: Set<String> = []
        for node in prepared.graph.nodes {
            guard faults.count < GraphLimits.faultsMax else { break }
            func text(_ name: String) -> String {
                let binding = node.parameters.first { $0.name == name }
                if case .text(let text)? = binding?.value { return text }
                return ""
            }
            switch node.primitive.id {
            case "append_file":
                let name = text("path")
                if !isFileName(name) {
                    faults.append(
                        JobGraphFault(
                            code: "dataflow.output-name",
                            message: "\(node.id): “\(name.prefix(80))” cannot be an output of a job",
                            hint:
                                "letters, digits, “_”, “-” and points, none of them first, at most \(GraphLimits.nameMax); not stdout, stderr, effects or \(captureName)"
                        ))
                } else if files.insert(name).inserted, files.count == filesMax + 1 {
                    faults.append(
                        JobGraphFault(
                            code: "dataflow.output-name",
                            message: "\(node.id): a job appends to \(filesMax) files at most"))
                }
            case "submit_job":
                do throws(JobGraphError) {
                    if !text("input").isEmpty {
                        throw JobGraphError(
                            "dataflow.job-manifest", "a job that a job submits has no inputs",
                            hint: "leave the parameter input out")
                    }
                    requests[node.id] = try JobRequest(text("manifest"))
                } catch {
                    faults += error.faults.map {
                        JobGraphFault(code: $0.code, message: "\(node.id): \($0.message)", hint: $0.hint)
                    }
                }
            case let id:
                guard let (reason, hint) = foreign[id] else { continue }
                faults.append(
                    JobGraphFault(
                        code: "dataflow.not-in-a-job",
                        message: "\(node.id): \(id) cannot be part of a job, since \(reason)", hint: hint))
            }
        }
        if !faults.isEmpty { throw JobGraphError(faults) }
        return requests
    }

    /// Whether a file that a graph appends to may be called so.
    static func isFileName(_ name: String) -> Bool {
        GraphLimits.isVersion(name) && !name.hasPrefix(".")
            && !["stdout", "stderr", "effects", captureName].contains(name)
    }
}
