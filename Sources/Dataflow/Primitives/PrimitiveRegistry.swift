public import MeshCore

/// The primitives that graphs may name, each under its id and version.
///
/// What is in it has kept every rule of its kind, so the engine relies on them.
public struct PrimitiveRegistry: Sendable {
    /// Rules that are kept where they are asked for.
    public struct Rules: Sendable, Hashable {
        /// Whether triggers must be without state.
        public var statelessTriggersOnly: Bool

        public init(statelessTriggersOnly: Bool = false) {
            self.statelessTriggersOnly = statelessTriggersOnly
        }
    }

    struct Entry: Sendable {
        let manifest: PrimitiveManifest
        let implementation: Implementation
    }

    public let rules: Rules
    private var entries: [PrimitiveReference: Entry] = [:]

    /// The most primitives that a registry holds.
    public static let countMax = 4096

    /// An empty registry.
    public init(rules: Rules = Rules()) {
        self.rules = rules
    }

    /// Every manifest, by id and version.
    public var manifests: [PrimitiveManifest] {
        entries.sorted { $0.key < $1.key }.map(\.value.manifest)
    }

    /// The manifest of that id and version, or `nil`.
    public func manifest(_ reference: PrimitiveReference) -> PrimitiveManifest? {
        entries[reference]?.manifest
    }

    func entry(_ reference: PrimitiveReference) -> Entry? { entries[reference] }

    /// Takes a primitive in.
    ///
    /// - Throws: The first rule that it breaks; the registry is then as it was.
    public mutating func register(
        _ manifest: PrimitiveManifest, _ implementation: Implementation
    ) throws(RegistryError) {
        try checkShape(manifest)
        switch manifest.kind {
        case .source: try checkSource(manifest)
        case .compute: try checkCompute(manifest)
        case .trigger: try checkTrigger(manifest)
        case .action: try checkAction(manifest)
        }
        try checkTypes(manifest)
        try checkParameters(manifest)
        try checkImplementation(manifest, implementation)
        guard entries[manifest.reference] == nil else {
            throw RegistryError(.duplicateID, "there is a primitive \(manifest.reference) already")
        }
        guard entries.count < Self.countMax else {
            throw RegistryError(.tooLarge, "a registry holds at most \(Self.countMax) primitives")
        }
        entries[manifest.reference] = Entry(manifest: manifest, implementation: implementation)
    }

    private func checkShape(_ manifest: PrimitiveManifest) throws(RegistryError) {
        let names =
            [manifest.id] + manifest.inputs.map(\.name) + manifest.outputs.map(\.name)
            + manifest.parameters.map(\.name)
        guard names.allSatisfy(GraphLimits.isName), GraphLimits.isVersion(manifest.version),
            manifest.inputs.count <= GraphLimits.portsMax, manifest.outputs.count <= GraphLimits.portsMax,
            manifest.parameters.count <= GraphLimits.parametersMax, (0...64).contains(manifest.stateCount)
        else {
            throw RegistryError(
                .tooLarge, "\(manifest.reference) has a name that cannot be one, or too many ports",
                hint: "names are letters, digits, “_” and “-”, at most \(GraphLimits.nameMax) of them")
        }
        guard Set(manifest.inputs.map(\.name)).count == manifest.inputs.count,
            Set(manifest.outputs.map(\.name)).count == manifest.outputs.count,
            Set(manifest.parameters.map(\.name)).count == manifest.parameters.count
        else {
            throw RegistryError(
                .duplicateName, "\(manifest.reference) has two ports or parameters of one name")
        }
    }

    private func refuse(
        _ manifest: PrimitiveManifest, _ code: RegistryFailure, _ reason: String, if isWrong: Bool
    ) throws(RegistryError) {
        if isWrong { throw RegistryError(code, "\(manifest.kind.rawValue) \(manifest.reference) \(reason)") }
    }

    private func checkSource(_ it: PrimitiveManifest) throws(RegistryError) {
        try refuse(it, .inputsNotAllowed, "has inputs", if: !it.inputs.isEmpty)
        try refuse(it, .sideEffectsNotAllowed, "has side effects", if: it.hasSideEffects)
        try refuse(it, .nonDeterministicExecution, "is not deterministic", if: !it.isDeterministic)
        try refuse(it, .invalidCadence, "is not continuous", if: it.cadence != .continuous)
        try refuse(it, .stateNotAllowed, "keeps state", if: it.stateCount > 0)
        try refuse(it, .outputsRequired, "has no output", if: it.outputs.isEmpty)
        try refuse(it, .retryNotAllowed, "asks to be retried within a pass", if: it.isRetryable)
    }

    private func checkCompute(_ it: PrimitiveManifest) throws(RegistryError) {
        try refuse(it, .sideEffectsNotAllowed, "has side effects", if: it.hasSideEffects)
        try refuse(it, .nonDeterministicExecution, "is not deterministic", if: !it.isDeterministic)
        try refuse(it, .noInputsDeclared, "has no input", if: it.inputs.isEmpty)
        try refuse(it, .stateNotAllowed, "keeps state", if: it.stateCount > 0)
        try refuse(it, .outputsRequired, "has no output", if: it.outputs.isEmpty)
        try refuse(it, .retryNotAllowed, "asks to be retried within a pass", if: it.isRetryable)
    }

    private func checkTrigger(_ it: PrimitiveManifest) throws(RegistryError) {
        try refuse(it, .sideEffectsNotAllowed, "has side effects", if: it.hasSideEffects)
        try refuse(it, .nonDeterministicExecution, "is not deterministic", if: !it.isDeterministic)
        try refuse(
            it, .statefulTriggerNotAllowed, "keeps state, and triggers without state are asked for",
            if: rules.statelessTriggersOnly && it.stateCount > 0)
        try refuse(
            it, .eventOutputRequired, "has other outputs than one event",
            if: it.outputs.map(\.type) != [.event])
        try refuse(it, .retryNotAllowed, "asks to be retried within a pass", if: it.isRetryable)
    }

    private func checkAction(_ it: PrimitiveManifest) throws(RegistryError) {
        try refuse(it, .sideEffectsRequired, "has no side effects", if: !it.hasSideEffects)
        try refuse(it, .retryNotAllowed, "asks to be retried within a pass", if: it.isRetryable)
        try refuse(it, .nonDeterministicExecution, "is not deterministic", if: !it.isDeterministic)
        try refuse(it, .stateNotAllowed, "keeps state", if: it.stateCount > 0)
        try refuse(
            it, .eventInputRequired, "has no event among its inputs",
            if: !it.inputs.contains { $0.type == .event })
        try refuse(
            it, .outcomeOutputRequired, "has other outputs than one event “outcome”",
            if: it.outputs != [OutputPort("outcome", .event)])
    }

    private func checkTypes(_ it: PrimitiveManifest) throws(RegistryError) {
        try refuse(
            it, .portTypeNotAllowed, "has a port of a type that its kind cannot have",
            if: !it.inputs.allSatisfy { it.kind.inputTypes.contains($0.type) }
                || !it.outputs.allSatisfy { it.kind.outputTypes.contains($0.type) })
    }

    private func checkParameters(_ it: PrimitiveManifest) throws(RegistryError) {
        for parameter in it.parameters {
            guard let fallback = parameter.fallback else { continue }
            guard let value = fallback.converted(to: parameter.type), value.isFinite,
                parameter.objection(to: value) == nil
            else {
                throw RegistryError(
                    .invalidDefault, "the default of \(it.reference).\(parameter.name) cannot be its value")
            }
        }
    }

    private func checkImplementation(
        _ it: PrimitiveManifest, _ implementation: Implementation
    ) throws(RegistryError) {
        let fits =
            switch implementation {
            case .builtIn(let opcode): opcode.fits(it)
            case .function: it.kind == .compute || it.kind == .trigger
            case .adapter: it.kind != .trigger
            }
        try refuse(it, .wrongImplementation, "cannot be run by what was given with it", if: !fits)
    }
}
