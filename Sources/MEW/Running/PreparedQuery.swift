public import MeshGraph
public import MeshStorage

/// A MATCH that has been read, checked and planned once, to be run many times.
///
/// The plan rests on the schema and on the graph's counts at that time: with another schema it must not be run,
/// with other counts it is only slower than it might be. Used by one thread at a time.
public final class PreparedQuery {
    private let program: MatchProgram
    private let names: NameSlots
    private let slotCount: Int

    /// Prepares the one MATCH that `source` is.
    ///
    /// - Returns: `nil` for any other statement, and for several.
    /// - Throws: ``Diagnostic``, or what the store throws.
    public init?(
        _ statement: Statement, _ environment: ScriptEnvironment, in storage: any StorageReader
    ) throws {
        guard case .match(let match) = statement.kind, environment.bindings.isEmpty else { return nil }
        let session = try Session(environment, view: GraphView(storage))
        var compiler = try session.compiler()
        program = try compiler.match(match)
        names = compiler.names
        slotCount = compiler.slotCount
    }

    public var columns: [String] { program.columns }

    /// Opens the query on a snapshot.
    public func open(
        _ environment: ScriptEnvironment, in storage: any StorageReader
    ) throws -> PreparedRun {
        let session = try Session(environment, view: GraphView(storage))
        try names.resolve(session.view)
        return PreparedRun(
            program: program, session: session, context: session.context(names, slotCount: slotCount))
    }
}

/// A prepared query on one snapshot; ends with it.
public final class PreparedRun {
    private let program: MatchProgram
    // The context's policies and rows are the session's.
    private let session: Session
    private let context: ExecutionContext

    init(program: MatchProgram, session: Session, context: ExecutionContext) {
        self.program = program
        self.session = session
        self.context = context
    }

    /// The rows for some parameters.
    ///
    /// - Throws: ``Diagnostic``, or what the store throws.
    public func rows(_ parameters: [String: GraphValue] = [:]) throws -> [[ResultValue]] {
        context.parameters = parameters
        context.stepsLeft = session.stepLimit
        return try program.run(context).map { row in try row.map { try context.result($0) } }
    }
}
