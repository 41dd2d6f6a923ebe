extension PreparedGraph {
    /// Evaluates every node but the actions, each once, over one snapshot of inputs.
    ///
    /// - Parameters:
    ///   - inputs: What the adapter sources have read (``reads``).
    ///   - state: Goes on only where every node could be evaluated.
    ///   - adapter: Works adapter computes out.
    /// - Returns: The pass, whose actions are still to be performed.
    public func evaluate(
        _ inputs: PassInputs = PassInputs(), state: inout TriggerState, adapter: AdapterFunction? = nil
    ) -> EvaluatedPass {
        precondition(state.values.count == stateCount, "this state belongs to another graph")
        var interpreter = Interpreter(self, state: state.values, adapter: adapter)
        do {
            try interpreter.run(inputs)
        } catch {
            return EvaluatedPass(
                self, Slots(self), computed: interpreter.computed, failure: error)
        }
        state.values = interpreter.state
        return EvaluatedPass(self, interpreter.slots, computed: interpreter.computed, failure: nil)
    }

    /// A whole pass; `perform` does each command when its turn comes.
    public func run(
        _ inputs: PassInputs = PassInputs(), state: inout TriggerState,
        perform: (AdapterRequest) -> ActionResult = { _ in .outcome(.attempted) },
        adapter: AdapterFunction? = nil
    ) -> PassReport {
        var pass = evaluate(inputs, state: &state, adapter: adapter)
        while let command = pass.nextCommand { pass.acknowledge(perform(command)) }
        return pass.report()
    }

    /// Evaluates twice from the same inputs and state, and looks for what came out differently.
    ///
    /// Nothing acts and `state` does not go on.
    ///
    /// - Returns: The first output, in the order of the pass, that differs, or `nil`.
    public func nondeterministicPort(
        _ inputs: PassInputs = PassInputs(), state: TriggerState, adapter: AdapterFunction? = nil
    ) -> NodePort? {
        var first = Interpreter(self, state: state.values, adapter: adapter)
        var second = Interpreter(self, state: state.values, adapter: adapter)
        let failures = (failure(&first, inputs), failure(&second, inputs))
        var places: [String: Int] = [:]
        for (place, node) in order.enumerated() { places[node] = place }
        let differing = slotPorts.indices.filter { slot in
            first.slots.value(Int32(slot), self) != second.slots.value(Int32(slot), self)
        }
        if failures.0 != failures.1, let failure = failures.0 ?? failures.1 {
            return NodePort(failure.node, "")
        }
        // What goes on in the state alone shows in a later pass; its trigger is named all the same.
        if differing.isEmpty, first.state.map(\.comparableBits) != second.state.map(\.comparableBits) {
            return statefulNode(
                differing: zip(first.state, second.state).map { $0.comparableBits != $1.comparableBits })
        }
        return differing.min {
            (places[slotPorts[$0].node] ?? 0, $0) < (places[slotPorts[$1].node] ?? 0, $1)
        }.map { slotPorts[$0] }
    }

    private func failure(_ interpreter: inout Interpreter, _ inputs: PassInputs) -> PassFailure? {
        do {
            try interpreter.run(inputs)
            return nil
        } catch {
            return error
        }
    }

    private func statefulNode(differing: [Bool]) -> NodePort? {
        guard let index = differing.firstIndex(of: true) else { return nil }
        let owner = instructions.last { Int($0.state) <= index && $0.call >= 0 }
        return owner.map { NodePort(slotPorts[Int($0.output)].node, "") }
    }
}
