internal import MeshCore
public import IPLD
internal import MeshGraph

/// Puts declarations together into a ``GraphSchema``, and says what is wrong with them.
///
/// Everything that is added is judged at once, so that declarations may stand in any order. One with a fault is left
/// out, and so is, without a word, what rests on it.
///
/// A name that is declared twice within one source is a fault. Between sources the one that was added first
/// stands: the same words are one declaration, others are listed in ``conflicts``.
public struct SchemaBuilder {
    /// One declaration that stands.
    struct Entry {
        let declaration: Declaration
        /// The place of its source among ``sources``.
        let source: Int
        /// Its meaning in words, once it has been asked for.
        var text: String?
    }

    /// What a name may stand for; types and edges share their names.
    enum Space: Hashable {
        case type, constraint, rule, policy
    }

    struct Key: Hashable {
        let space: Space
        let name: String
    }

    var entries: [Entry] = []
    /// The CIDs of what was added; `nil` for a source that has no block yet.
    var sources: [CID?] = []
    var places: [Key: Int] = [:]
    /// The names that ontologies gave themselves.
    var ontologyNames: Set<String> = []
    /// What was declared and is left out: whatever rests on it is left out without a further diagnostic.
    var faulty: Set<String> = []
    var reported: [(source: Int, diagnostic: Diagnostic)] = []
    private var errorsLeft = SchemaLimits.errorCountMax
    private var warningsLeft = SchemaLimits.warningCountMax
    var nearestLeft = SchemaLimits.nearestCountMax
    var attributesLeft = SchemaLimits.attributeTotalMax
    /// Falls with everything whose cost is not that of the text alone; see ``SchemaLimits/workMax``.
    var workLeft = SchemaLimits.workMax
    var patternsLeft = SchemaLimits.patternCountMax
    var patternStepsLeft = SchemaLimits.patternStepTotalMax
    var schema = SystemOntology.schema

    /// Declarations that lost to others of the same name, in the order in which they were added.
    public internal(set) var conflicts: [DeclarationConflict] = []

    public init() {}

    /// Adds the declarations of a source.
    ///
    /// - Parameters:
    ///   - ontology: What the source declares.
    ///   - source: The block that the source stands in; `nil` for text that has none yet.
    public mutating func add(_ ontology: OntologyDeclaration, from source: CID? = nil) {
        add([ontology], from: source)
    }

    /// Adds the ontologies of one source.
    public mutating func add(_ ontologies: [OntologyDeclaration], from source: CID? = nil) {
        let number = sources.count
        sources.append(source)
        for ontology in ontologies { add(ontology, source: number) }
    }

    private mutating func add(_ ontology: OntologyDeclaration, source number: Int) {
        if let name = ontology.name {
            if name.text.hasPrefix("_") { report(reservedPrefix(name), from: number) }
            ontologyNames.insert(name.text)
        }
        for parent in ontology.parents where !ontologyNames.contains(parent.text) {
            report(
                Diagnostic(
                    .unknownType, "there is no ontology \(parent)", at: parent.range,
                    hint: nearest(parent.text, among: ontologyNames.sorted()).map { "did you mean \($0)?" }
                        ?? "load it first"), from: number)
        }
        for declaration in ontology.declarations { add(declaration, source: number) }
    }

    private mutating func add(_ declaration: Declaration, source: Int) {
        let name = declaration.name
        let key = Key(space: declaration.space, name: name.text)
        if let fault = nameFault(name, key.space) {
            report(fault, from: source)
            if key.space == .type { faulty.insert(name.text) }
            return
        }
        if let place = places[key] {
            let first = entries[place]
            if first.source == source {
                report(
                    Diagnostic(
                        .duplicateName, "\(name) is declared twice", at: name.range,
                        hint: duplicateHint(first.declaration, declaration)), from: source)
            } else {
                // Written out once: a long declaration may be met by many others.
                let text = first.text ?? first.declaration.meaning
                entries[place].text = text
                if text != declaration.meaning, conflicts.count < SchemaLimits.conflictCountMax {
                    conflicts.append(
                        DeclarationConflict(
                            name: name, kept: sources[first.source], lost: sources[source], keptText: text))
                }
            }
            return
        }
        guard entries.count < SchemaLimits.declarationCountMax else {
            report(
                Diagnostic(
                    .invalidDeclaration,
                    "there are more than \(SchemaLimits.declarationCountMax) declarations", at: name.range),
                from: source)
            return
        }
        places[key] = entries.count
        entries.append(Entry(declaration: declaration, source: source, text: nil))
    }

    /// The schema of everything that was added and stands, over the system's own, and what was wrong with it.
    public consuming func finish() -> (GraphSchema, [Diagnostic]) {
        build()
        return (schema, diagnostics { _ in true })
    }

    /// Judges everything that was added.
    mutating func build() {
        buildAliases()
        buildNodes()
        dropAliasesOfFaultyTypes()
        buildEdges()
        buildPrograms()
    }

    // MARK: Diagnostics

    /// What was reported of some sources, in order of these and their texts.
    func diagnostics(where isWanted: (Int) -> Bool) -> [Diagnostic] {
        reported.enumerated()
            .filter { isWanted($0.element.source) }
            .sorted { a, b in
                let first = (a.element.source, a.element.diagnostic.range?.start.offset ?? 0, a.offset)
                return first < (b.element.source, b.element.diagnostic.range?.start.offset ?? 0, b.offset)
            }
            .map(\.element.diagnostic)
    }

    mutating func report(_ diagnostic: Diagnostic, from source: Int) {
        // Warnings never crowd out an error: without errors everything stands.
        if diagnostic.severity == .warning {
            guard warningsLeft > 0 else { return }
            warningsLeft -= 1
        } else {
            guard errorsLeft > 0 else { return }
            errorsLeft -= 1
        }
        reported.append((source, diagnostic.clipped))
    }

    /// The nearest name, as long as that has not been asked too often.
    mutating func nearest(_ name: String, among names: [String]) -> String? {
        guard nearestLeft > 0 else { return nil }
        nearestLeft -= 1
        return NearestName.of(name, among: names)
    }

    private func reservedPrefix(_ name: Name) -> Diagnostic {
        Diagnostic(
            .invalidDeclaration, "\(name) begins with _, which is the system's", at: name.range,
            hint: "name it without the _")
    }

    private func nameFault(_ name: Name, _ space: Space) -> Diagnostic? {
        if name.text.hasPrefix("_") { return reservedPrefix(name) }
        if !GraphLimits.isName(name.text) || name.text.contains(":") {
            return Diagnostic(
                .invalidDeclaration,
                "\(name.text.prefix(40)) cannot be declared: a name is ASCII of at most \(GraphLimits.nameByteCountMax) bytes",
                at: name.range)
        }
        guard space == .type else { return nil }
        if ScalarType(rawValue: name.text) != nil || name.text == "any" {
            return Diagnostic(.duplicateName, "\(name) is a type of the language", at: name.range)
        }
        if schema.nodes[name.text]?.isSystem == true {
            return Diagnostic(
                .duplicateName, "\(name) is a type of the system", at: name.range,
                hint: "choose another name, or match the system's \(name)")
        }
        return nil
    }

    private func duplicateHint(_ first: Declaration, _ second: Declaration) -> String? {
        guard case .edge(let a) = first, case .edge(let b) = second, a.parameters.count == b.parameters.count,
            a.name == b.name
        else { return nil }
        let parameters = zip(a.parameters, b.parameters).map { one, other in
            let texts = [one.type.canonicalText, other.type.canonicalText]
            let type = texts[0] == texts[1] ? texts[0] : texts.joined(separator: " | ")
            return (one.name.map { "\($0): " } ?? "") + type
        }
        return "one edge may take several types: edge \(a.name)(\(parameters.joined(separator: ", ")))"
    }
}

extension Diagnostic {
    /// The same with a message of a length that can be shown: names may be as long as the source.
    fileprivate var clipped: Diagnostic {
        let scalars = message.unicodeScalars
        guard scalars.dropFirst(SchemaLimits.messageLengthMax).first != nil else { return self }
        let text = String(scalars.prefix(SchemaLimits.messageLengthMax)) + "…"
        return Diagnostic(code, text, at: range, hint: hint, severity: severity)
    }
}

extension Declaration {
    var space: SchemaBuilder.Space {
        switch self {
        case .alias, .node, .edge: .type
        case .constraint: .constraint
        case .rule: .rule
        case .policy: .policy
        }
    }
}

/// A declaration that another of the same name keeps out.
public struct DeclarationConflict: Sendable {
    public let name: Name
    /// The block whose declaration stands; `nil` for a source without one.
    public let kept: CID?
    /// The block whose declaration is left out.
    public let lost: CID?
    /// The declaration that stands, in its canonical spelling.
    public let keptText: String

    /// The conflict as a fault of the source that lost.
    public var diagnostic: Diagnostic {
        Diagnostic(
            .duplicateName, "\(name) is declared already, and differently", at: name.range,
            hint: "it is: \(keptText.count <= 160 ? keptText : String(keptText.prefix(159)) + "…")")
    }
}

/// How much of a schema there may be: ontologies come from others.
enum SchemaLimits {
    static let declarationCountMax = 16_384
    /// Of one type, those it inherits included.
    static let attributeCountMax = GraphLimits.attributeCountMax
    /// Of all types together, those they inherit included.
    static let attributeTotalMax = 262_144
    static let ancestorCountMax = 64
    static let parameterCountMax = GraphLimits.targetCountMax
    static let unionCountMax = 64
    static let parentCountMax = 32
    /// Of one attribute: its checks, and the values that `in:` lists.
    static let checkCountMax = 1024
    static let conflictCountMax = 4096
    static let messageLengthMax = 400
    static let patternCountMax = 2048
    /// Members that unions bring into others, and names compared to find out whether two types can meet.
    static let workMax = 1_000_000
    static let patternStepTotalMax = 131_072
    static let errorCountMax = 256
    static let warningCountMax = 64
    static let nearestCountMax = 64
}
