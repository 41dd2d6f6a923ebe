internal import IPLD
internal import MeshCore
internal import MeshRuntime
internal import Synchronization

/// Works out the computes `wasm` of a job, and keeps the job's account meanwhile.
///
/// A pass calls it from its own thread, one call after the other; the lock is there because the pass's adapter must be
/// sendable.
final class ModuleDesk: Sendable {
    /// A module that was asked for before, with the CID of its bytes.
    private struct Module {
        let bytes: [UInt8]
        let cid: CID
    }

    private struct State {
        var account: JobAccount
        /// By the bytes of the name: which names are one must not depend on tables that change with Unicode.
        var modules: [[UInt8]: Module] = [:]
        /// Why the job cannot go on, once it cannot.
        var end: RunEnd?
    }

    private let state: Mutex<State>
    private let inputs: JobInputs
    private let limits: RunLimits
    private let wasm: @Sendable (RunRequest, [UInt8]) -> RunResult
    private let isOutOfTime: @Sendable () -> Bool

    init(
        _ limits: RunLimits, _ inputs: JobInputs,
        wasm: @escaping @Sendable (RunRequest, [UInt8]) -> RunResult,
        isOutOfTime: @escaping @Sendable () -> Bool
    ) {
        state = Mutex(State(account: JobAccount(limits)))
        self.inputs = inputs
        self.limits = limits
        self.wasm = wasm
        self.isOutOfTime = isOutOfTime
    }

    /// The account as it stands.
    var account: JobAccount { state.withLock { $0.account } }

    /// Why the job cannot go on, or `nil`.
    var end: RunEnd? { state.withLock { $0.end } }

    /// Books something on the account.
    func book(_ change: (inout JobAccount) throws(RunEnd) -> Void) throws(RunEnd) {
        try state.withLock { state throws(RunEnd) in try change(&state.account) }
    }

    /// Throws when real time has run out.
    func checkTime() throws(RunEnd) {
        if isOutOfTime() { throw RunEnd(.time) }
    }

    /// The adapter of the job's passes.
    var adapter: AdapterFunction {
        { [self] request, inputs in
            do {
                return .success(try call(request, inputs))
            } catch let failure as PrimitiveFailure {
                return .failure(failure)
            } catch {
                let end = (error as? RunEnd) ?? RunEnd(.engine, trap: "the module could not be called")
                state.withLock { $0.end = end }
                return .failure(PrimitiveFailure(.cancelled, "the job has ended"))
            }
        }
    }

    private func call(_ node: AdapterRequest, _ values: [PortValue]) throws -> [PortValue] {
        guard node.primitive.id == "wasm" else {
            throw PrimitiveFailure(.adapterUnavailable, "nothing here does \(node.primitive)")
        }
        try checkTime()
        let module = try module(node.text("module") ?? "")
        let count = values.reduce(0) { $0 + $1.value.unitCount }
        try book { account throws(RunEnd) in
            account.noteCall()
            try account.charge(at: FlowFuel.perCall)
            try account.hold(at: FlowMemory.perRecord)
            try account.reserve(count + 1, at: FlowMemory.perHandedNumber)
        }
        let stdin = ModuleCall.stdin(values)
        try book { account throws(RunEnd) in
            try account.charge(stdin.count, at: FlowFuel.perHandedByte)
        }
        let before = account
        var allowed = limits
        allowed.fuel = before.fuelLeft
        allowed.memoryBytes = before.memoryLeft
        allowed.outputBytes = min(
            ModuleCall.outputByteCountMax, before.memoryLeft / FlowMemory.perPrintedByte)
        let request = ModuleCall.request(node, stdin: stdin, code: module.cid, limits: allowed)
        let result = wasm(request, module.bytes)
        try settle(result, request.limits, isLast: request.limits.fuel == before.fuelLeft)
        let given = try ModuleCall.values(of: result)
        let units = given.reduce(0) { $0 + $1.value.unitCount }
        try book { account throws(RunEnd) in
            try account.charge(units, at: FlowFuel.perGivenUnit)
            try account.hold(units, at: FlowMemory.perNumber)
        }
        return given
    }

    /// Books what a module used, and ends the job where its end is the job's.
    private func settle(_ result: RunResult, _ given: RunLimits, isLast: Bool) throws(RunEnd) {
        let outcome = result.outcome
        // What depends on the machine must not become part of a result that others are to repeat.
        guard outcome.isReplayable else { throw RunEnd(outcome) }
        let isExact = outcome.outcomeClass == .ok || outcome.outcomeClass == .exit
        let used = isExact ? min(result.metering.fuel, given.fuel) : given.fuel
        try book { account throws(RunEnd) in
            try account.reserve(at: min(result.metering.memoryPeakBytes, account.memoryLeft))
            try account.charge(at: used)
        }
        if outcome.outcomeClass == .fuel, isLast { throw RunEnd(.fuel) }
    }

    private func module(_ name: String) throws -> Module {
        let key = Array(name.utf8)
        if let found = state.withLock({ $0.modules[key] }) { return found }
        guard let bytes = inputs[name] ?? inputs.bytes(calledBy: name) else {
            throw PrimitiveFailure(
                .validationFailed, "no input of the job is the module \(name.prefix(80))")
        }
        try book { account throws(RunEnd) in
            try account.charge(bytes.count, at: FlowFuel.perHandedByte)
        }
        let module = Module(bytes: bytes, cid: CID(of: bytes, codec: .raw))
        state.withLock { $0.modules[key] = module }
        return module
    }
}

extension FlowValue {
    /// The numbers of it, or the bytes of its text: what a document that holds it is longer than.
    var unitCount: Int {
        switch self {
        case .series(let numbers): numbers.count
        case .string(let text): text.utf8.count
        case .number, .bool, .event: 1
        }
    }
}
