public import MeshCore

/// Why a manifest is not taken into a registry.
public enum RegistryFailure: String, Sendable, CaseIterable {
    /// A source with inputs.
    case inputsNotAllowed = "dataflow.inputs-not-allowed"
    /// Side effects of anything but an action.
    case sideEffectsNotAllowed = "dataflow.side-effects-not-allowed"
    /// An action without side effects.
    case sideEffectsRequired = "dataflow.side-effects-required"
    case nonDeterministicExecution = "dataflow.non-deterministic-execution"
    /// A source that is not continuous.
    case invalidCadence = "dataflow.invalid-cadence"
    /// State of anything but a trigger.
    case stateNotAllowed = "dataflow.state-not-allowed"
    /// A trigger with state, where only those without are asked for.
    case statefulTriggerNotAllowed = "dataflow.stateful-trigger-not-allowed"
    /// A source or compute without an output.
    case outputsRequired = "dataflow.outputs-required"
    /// A compute without an input.
    case noInputsDeclared = "dataflow.no-inputs-declared"
    /// A trigger whose outputs are not exactly one event.
    case eventOutputRequired = "dataflow.event-output-required"
    /// An action without an event among its inputs.
    case eventInputRequired = "dataflow.event-input-required"
    /// An action whose outputs are not exactly one event named `outcome`.
    case outcomeOutputRequired = "dataflow.outcome-output-required"
    case retryNotAllowed = "dataflow.retry-not-allowed"
    /// Another primitive has this id and version.
    case duplicateID = "dataflow.duplicate-id"
    /// Two ports or parameters of one name.
    case duplicateName = "dataflow.duplicate-name"
    /// A port of a type that its kind cannot have.
    case portTypeNotAllowed = "dataflow.port-type-not-allowed"
    /// A default that is not of its parameter's type, out of its bounds or not finite.
    case invalidDefault = "dataflow.invalid-default"
    /// A name that is empty, too long or of other characters, or more of something than there may be.
    case tooLarge = "dataflow.manifest-too-large"
    /// What runs it does not belong to its kind or does not fit its ports.
    case wrongImplementation = "dataflow.wrong-implementation"
}

/// Thrown by ``PrimitiveRegistry/register(_:_:)``; the registry is then as it was before.
public typealias RegistryError = CodedError<RegistryFailure>
