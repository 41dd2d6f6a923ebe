public import IPLD
public import MeshGraph

/// Makes schemas of ontology blocks.
///
/// What comes out is a function of the block's CID alone: the bases' declarations first, those of the lower CID before
/// the others', each block once however many name it; then the block's own. Of two declarations of
/// one name the first stands.
public enum OntologyResolver {
    /// How many blocks an ontology may consist of.
    public static let blockCountMax = 4096
    /// How many bytes of source these may have together.
    public static let sourceByteCountMax = 4 << 20

    /// The ontology of a block.
    ///
    /// - Parameters:
    ///   - ontology: The block's CID.
    ///   - load: Gives a block; `nil` for one that is not here.
    /// - Returns: The schema, or which block is missing.
    /// - Throws: What `load` throws.
    public static func resolve<Failure: Error>(
        _ ontology: CID, load: (CID) throws(Failure) -> OntologyBlock?
    ) throws(Failure) -> OntologyResolution {
        guard let block = try load(ontology) else { return .missing(ontology) }
        return try resolve(block, named: ontology, load: load)
    }

    /// The ontology of a block that is not stored yet, or of several heads: a block that has them as bases and no source.
    ///
    /// - Parameters:
    ///   - block: What is to be resolved.
    ///   - ontology: The block's CID.
    ///   - declared: What the block's source declares, where it has been read already: diagnostics then name
    ///     places of the text that it was read from.
    ///   - load: Gives a base; `nil` for one that is not here.
    /// - Returns: The schema, or which block is missing.
    /// - Throws: What `load` throws.
    public static func resolve<Failure: Error>(
        _ block: OntologyBlock, named ontology: CID, declared: OntologyDeclaration? = nil,
        load: (CID) throws(Failure) -> OntologyBlock?
    ) throws(Failure) -> OntologyResolution {
        var walk = Walk(root: block)
        var builder = SchemaBuilder()
        var reading: [Diagnostic] = []
        while let visit = walk.next() {
            switch visit {
            case .base(let cid):
                if walk.hasSeen(cid) { continue }
                guard let base = try load(cid) else { return .missing(cid) }
                walk.enter(cid, base)
            case .source(let cid, let text):
                if cid == nil, let declared {
                    builder.add(declared, from: ontology)
                } else if text.isEmpty {
                    builder.add([], from: cid ?? ontology)
                } else {
                    let parsed = Parser.ontology(text)
                    builder.add(parsed.value.map { [$0] } ?? [], from: cid ?? ontology)
                    if cid == nil { reading = parsed.diagnostics }
                }
            case .tooLarge:
                return .refused(
                    Diagnostic(
                        .invalidDeclaration,
                        "an ontology has at most \(Self.blockCountMax) blocks and \(Self.sourceByteCountMax) bytes of source"
                    ))
            }
        }
        builder.build()
        var schema = builder.schema
        schema.ontology = ontology
        schema.declarationConflicts = builder.conflicts
        let own = builder.sources.count - 1
        return .resolved(
            ResolvedOntology(
                schema: schema,
                added: builder.entries.filter { $0.source == own }.map(\.declaration),
                diagnostics: reading + builder.diagnostics { $0 == own },
                baseDiagnostics: builder.diagnostics { $0 != own }))
    }
}

/// What became of an ontology.
public enum OntologyResolution: Sendable {
    case resolved(ResolvedOntology)
    /// A block that is needed is not here.
    case missing(CID)
    /// No replica makes a schema of it.
    case refused(Diagnostic)
}

/// A schema, and what is to be said of the source that it was asked for.
public struct ResolvedOntology: Sendable {
    public let schema: GraphSchema
    /// The declarations of the block's own source that no base has: none when everything is known already.
    public let added: [Declaration]
    /// Faults and warnings of the block's own source; those of its bases were its bases' authors'.
    public let diagnostics: [Diagnostic]
    /// Faults of the bases' declarations, whose places are places of other texts.
    ///
    /// A merge may leave out what each head had; every replica finds the same, in the same order.
    public let baseDiagnostics: [Diagnostic]
    /// Declarations of the block's own source that a base's keep out: whoever loads it wants to know.
    public var ownConflicts: [DeclarationConflict] {
        schema.declarationConflicts.filter { $0.lost == schema.ontology }
    }
}

extension OntologyResolver {
    /// Goes through an ontology's blocks: bases before what builds on them, without recursion.
    fileprivate struct Walk {
        enum Visit {
            case base(CID)
            case source(CID?, String)
            case tooLarge
        }

        private struct Level {
            let cid: CID?
            let bases: [CID]
            let source: String
            var next = 0
        }

        private var levels: [Level] = []
        private var seen: Set<CID> = []
        private var byteCount = 0
        private var isTooLarge = false

        init(root: OntologyBlock) {
            push(nil, root)
        }

        mutating func next() -> Visit? {
            if isTooLarge { return .tooLarge }
            guard var level = levels.popLast() else { return nil }
            guard level.next < level.bases.count else { return .source(level.cid, level.source) }
            let base = level.bases[level.next]
            level.next += 1
            levels.append(level)
            return .base(base)
        }

        func hasSeen(_ cid: CID) -> Bool { seen.contains(cid) }

        mutating func enter(_ cid: CID, _ block: OntologyBlock) {
            seen.insert(cid)
            push(cid, block)
        }

        private mutating func push(_ cid: CID?, _ block: OntologyBlock) {
            byteCount += block.source.utf8.count
            if seen.count >= OntologyResolver.blockCountMax
                || block.bases.count > OntologyResolver.blockCountMax
                || byteCount > OntologyResolver.sourceByteCountMax
            {
                isTooLarge = true
                return
            }
            levels.append(Level(cid: cid, bases: block.bases, source: block.source))
        }
    }
}
