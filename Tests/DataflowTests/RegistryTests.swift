import Dataflow
import MeshCore
import MeshTestSupport
import Testing

@Suite("Registries keep the rules of the four kinds", .tags(.Size.small))
struct RegistryTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let wanted: RegistryFailure
        let manifest: PrimitiveManifest
        var rules = PrimitiveRegistry.Rules()
        var testDescription: String { "\(manifest.kind) \(wanted)" }
    }

    static let source = PrimitiveManifest("s", kind: .source, outputs: [OutputPort("v", .number)])
    static let compute = PrimitiveManifest(
        "c", kind: .compute, inputs: [InputPort("a", .number)], outputs: [OutputPort("v", .number)])
    static let trigger = PrimitiveManifest(
        "t", kind: .trigger, inputs: [InputPort("a", .bool)], outputs: [OutputPort("e", .event)])
    static let action = PrimitiveManifest(
        "x", kind: .action, inputs: [InputPort("e", .event)], outputs: [OutputPort("outcome", .event)])

    static func changed(
        _ manifest: PrimitiveManifest, _ change: (inout PrimitiveManifest) -> Void
    ) -> PrimitiveManifest {
        var manifest = manifest
        change(&manifest)
        return manifest
    }

    static let cases: [Case] = [
        Case(wanted: .inputsNotAllowed, manifest: changed(source) { $0.inputs = [InputPort("a", .number)] }),
        Case(wanted: .sideEffectsNotAllowed, manifest: changed(source) { $0.hasSideEffects = true }),
        Case(wanted: .nonDeterministicExecution, manifest: changed(source) { $0.isDeterministic = false }),
        Case(wanted: .invalidCadence, manifest: changed(source) { $0.cadence = .event }),
        Case(wanted: .stateNotAllowed, manifest: changed(source) { $0.stateCount = 1 }),
        Case(wanted: .outputsRequired, manifest: changed(source) { $0.outputs = [] }),
        Case(wanted: .retryNotAllowed, manifest: changed(source) { $0.isRetryable = true }),
        Case(
            wanted: .portTypeNotAllowed, manifest: changed(source) { $0.outputs = [OutputPort("v", .event)] }),
        Case(wanted: .sideEffectsNotAllowed, manifest: changed(compute) { $0.hasSideEffects = true }),
        Case(wanted: .nonDeterministicExecution, manifest: changed(compute) { $0.isDeterministic = false }),
        Case(wanted: .noInputsDeclared, manifest: changed(compute) { $0.inputs = [] }),
        Case(wanted: .stateNotAllowed, manifest: changed(compute) { $0.stateCount = 1 }),
        Case(wanted: .outputsRequired, manifest: changed(compute) { $0.outputs = [] }),
        Case(
            wanted: .portTypeNotAllowed, manifest: changed(compute) { $0.inputs = [InputPort("a", .event)] }),
        Case(
            wanted: .portTypeNotAllowed, manifest: changed(compute) { $0.outputs = [OutputPort("v", .event)] }
        ),
        Case(wanted: .duplicateName, manifest: changed(compute) { $0.inputs += $0.inputs }),
        Case(wanted: .sideEffectsNotAllowed, manifest: changed(trigger) { $0.hasSideEffects = true }),
        Case(wanted: .nonDeterministicExecution, manifest: changed(trigger) { $0.isDeterministic = false }),
        Case(wanted: .eventOutputRequired, manifest: changed(trigger) { $0.outputs = [] }),
        Case(
            wanted: .eventOutputRequired, manifest: changed(trigger) { $0.outputs = [OutputPort("e", .bool)] }
        ),
        Case(
            wanted: .eventOutputRequired,
            manifest: changed(trigger) { $0.outputs.append(OutputPort("f", .event)) }),
        Case(
            wanted: .statefulTriggerNotAllowed, manifest: changed(trigger) { $0.stateCount = 1 },
            rules: .init(statelessTriggersOnly: true)),
        Case(
            wanted: .portTypeNotAllowed, manifest: changed(trigger) { $0.inputs = [InputPort("a", .string)] }),
        Case(wanted: .sideEffectsRequired, manifest: changed(action) { $0.hasSideEffects = false }),
        Case(wanted: .retryNotAllowed, manifest: changed(action) { $0.isRetryable = true }),
        Case(wanted: .nonDeterministicExecution, manifest: changed(action) { $0.isDeterministic = false }),
        Case(wanted: .stateNotAllowed, manifest: changed(action) { $0.stateCount = 1 }),
        Case(wanted: .eventInputRequired, manifest: changed(action) { $0.inputs = [InputPort("a", .bool)] }),
        Case(
            wanted: .outcomeOutputRequired,
            manifest: changed(action) { $0.outputs = [OutputPort("done", .event)] }),
        Case(wanted: .tooLarge, manifest: changed(source) { $0.id = "" }),
        Case(wanted: .tooLarge, manifest: changed(source) { $0.version = "1 2" }),
        Case(
            wanted: .invalidDefault,
            manifest: changed(source) { $0.parameters = [Parameter("p", .number, default: .number(.nan))] }),
        Case(
            wanted: .invalidDefault,
            manifest: changed(source) { $0.parameters = [Parameter("p", .int, default: .text("1"))] }),
    ]

    @Test("a manifest that breaks a rule is refused with the rule's code", arguments: cases)
    func refused(_ it: Case) {
        var registry = PrimitiveRegistry(rules: it.rules)
        let error = #expect(throws: RegistryError.self) {
            try registry.register(
                it.manifest, it.manifest.kind == .trigger ? .function { _, _, _ in [] } : .adapter)
        }
        #expect(error?.code == it.wanted)
        #expect(registry.manifests == [])
    }

    @Test("manifests that keep the rules are taken, and once only")
    func taken() throws {
        var registry = PrimitiveRegistry()
        for manifest in [Self.source, Self.compute, Self.action] { try registry.register(manifest, .adapter) }
        let keeping = Self.changed(Self.trigger) { $0.stateCount = 1 }
        try registry.register(keeping, .function { _, _, _ in [.event(.emitted)] })
        #expect(registry.manifests.count == 4)
        let error = #expect(throws: RegistryError.self) { try registry.register(Self.source, .adapter) }
        #expect(error?.code == .duplicateID)
        let wrong = #expect(throws: RegistryError.self) {
            try registry.register(Self.changed(Self.compute) { $0.id = "d" }, .builtIn(.add))
        }
        #expect(wrong?.code == .wrongImplementation)
    }

    @Test("every rule's code is broken by one of the cases here")
    func complete() {
        let elsewhere: Set<RegistryFailure> = [.duplicateID, .wrongImplementation]
        #expect(Set(Self.cases.map(\.wanted)).union(elsewhere) == Set(RegistryFailure.allCases))
    }

    @Test(
        "the standard registry has the twenty stock primitives, four triggers with state and eight adapters")
    func standard() {
        let stock = [
            "ack_action", "add", "and", "annotate_action", "boolean_source", "const_bool", "const_number",
            "divide",
            "emit_if_true", "eq", "gt", "lt", "multiply", "negate", "neq", "not", "number_source", "or",
            "select",
            "subtract",
        ]
        #expect(stock.count == 20)
        let ours = ["crossover", "once", "debounce", "count"]
        let adapters = [
            "graph_query", "blob", "file", "wasm", "submit_job", "graph_mutation", "append_file", "webhook",
        ]
        let manifests = PrimitiveRegistry.standard().manifests
        #expect(manifests.map(\.id) == (stock + ours + adapters).sorted())
        #expect(manifests.allSatisfy { $0.version == "0.1.0" })
        let stateless = PrimitiveRegistry.standard(rules: .init(statelessTriggersOnly: true))
        #expect(stateless.manifests.map(\.id) == (stock + adapters).sorted())
    }

    @Test("the wiring matrix is the documented one")
    func wiring() {
        let allowed = PrimitiveKind.allCases.map { from in PrimitiveKind.allCases.map { from.mayFeed($0) } }
        #expect(
            allowed == [
                [false, true, false, false], [false, true, true, false], [false, false, true, true],
                [false, false, false, false],
            ])
    }
}
