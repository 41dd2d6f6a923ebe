import IPLD
import MeshCore
import MeshDAG
import MeshGraph
import MeshIdentity
import MeshStorage

@testable import MEW

/// One node's graph, without a network: programs run, and their changes are folded at once.
final class Workbench {
    let storage = MemoryStorage()
    var replica = GraphReplica()
    let author: DID
    var seq: UInt64 = 0
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    var virtual: (any VirtualTables)?
    /// The entries that were folded, in order, with the blocks that they rest on.
    private(set) var history: [(entry: GraphChangeEntry, position: EntryPosition)] = []
    private(set) var blocks: [Block] = []
    var bindings: [String: String] = [:]
    var actor: String?
    /// What has been folded since somebody last looked.
    var touched: Set<LocalID> = []
    var isSchemaChanged = false
    var stepLimit = 2_000_000

    init(author: UInt8 = 1) {
        self.author = DID(publicKey: Bytes32([UInt8](repeating: author, count: 32), at: 0))
    }

    private func environment(
        _ parameters: [String: GraphValue], _ authority: Authority? = nil
    ) -> ScriptEnvironment {
        ScriptEnvironment(
            schema: replica.schema, authority: authority ?? Authority(actor: actor ?? "\(author)"), now: now,
            parameters: parameters, bindings: bindings, virtual: virtual, stepLimit: stepLimit)
    }

    /// Runs a program as a node does, unit by unit.
    @discardableResult
    func run(_ source: String, _ parameters: [String: GraphValue] = [:]) throws -> [StatementResult] {
        let parsed = Parser.script(source)
        if let fault = parsed.diagnostics.first(where: { $0.severity == .error }) { throw fault }
        var results: [StatementResult] = []
        let bytes = Array(source.utf8)
        for unit in try ScriptUnit.units(of: parsed.statements) {
            do {
                if unit.isMutating {
                    results += try write(unit, bytes, parameters)
                } else {
                    let outcome = try unit.read(environment(parameters), source: bytes, in: storage)
                    results += outcome.results
                }
            } catch let failure as UnitFailure {
                throw failure.diagnostic
            }
        }
        return results
    }

    func write(
        _ unit: ScriptUnit, _ source: [UInt8], _ parameters: [String: GraphValue],
        authority: Authority? = nil
    ) throws -> [StatementResult] {
        let position = EntryPosition(
            author: author, scope: "default", seq: seq, index: 0,
            time: HybridTime(milliseconds: now.milliseconds + Int64(seq), counter: 0))
        let (outcome, publication) = try replica.write(
            unit, environment(parameters, authority), source: source, at: position, in: storage)
        bindings = outcome.bindings
        if let indexes = outcome.indexes {
            var writer = GraphWriter(storage)
            try writer.setIndexes(indexes)
        }
        guard let publication else { return outcome.results }
        seq += 1
        let decoded = try GraphChangeEntry(decoding: publication.entry.encoded)
        try receive(decoded, publication.blocks, at: position)
        return outcome.results
    }

    /// Folds what somebody has published.
    func receive(_ entry: GraphChangeEntry, _ new: [Block], at position: EntryPosition) throws {
        for block in new {
            try storage.putBlock(block.bytes, cid: block.cid)
            blocks.append(block)
        }
        let folded = try replica.fold(entry, at: position, in: storage)
        if let void = folded.void { throw void }
        touched.formUnion(folded.touched)
        isSchemaChanged = isSchemaChanged || folded.isSchemaChanged
        history.append((entry, position))
    }

    /// The rows of a program's last statement, as text.
    func rows(_ source: String, _ parameters: [String: GraphValue] = [:]) throws -> [[String]] {
        try run(source, parameters).last?.rows.map { $0.map(\.text) } ?? []
    }

    /// The code with which a program fails; `nil` where it does not.
    func fault(_ source: String, _ parameters: [String: GraphValue] = [:]) throws -> ErrorCode? {
        do {
            try run(source, parameters)
            return nil
        } catch let diagnostic as Diagnostic {
            return diagnostic.code
        }
    }
}

extension ResultValue {
    /// For expectations.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let value): value
        case .timestamp(let value): "@\(value)"
        case .duration(let value): "\(value)ms"
        case .hash(let value): Hexadecimal.encode(value.bytes)
        case .bytes(let value): Hexadecimal.encode(value)
        case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .entity(let entity): entity.id
        }
    }
}
