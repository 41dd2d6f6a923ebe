/// The functions that a contract may ask of whoever runs it: import module `host`.
///
/// Names, order and shapes are those that the contract language was published with. A string is two 32-bit
/// integers, the address and the length of UTF-8 in the memory that the module exports as `memory`.
public enum HostFunction: String, CaseIterable, Hashable, Sendable {
    /// `(text)`: appends a line to the run's log.
    case logMessage = "host_log_message"
    /// `(data) → 1 or 0`: notes data that the receipt is to anchor.
    case anchorToDAG = "host_anchor_to_dag"
    /// `(resource type, amount) → 1 or 0`: whether so much more may be used.
    case checkResourceAuthorization = "host_check_resource_authorization"
    /// `(resource type, amount)`: notes that so much was used; beyond what is authorised it ends the run.
    case recordResourceUsage = "host_record_resource_usage"
    /// `(code CID, description, resource type, amount, priority) → 1 or 0`: asks for a job of its own.
    case submitJob = "host_submit_job"

    /// The module name under which programs import these functions.
    public static let moduleName = "host"

    /// The parameters in order, `i` for a 32-bit and `I` for a 64-bit integer.
    public var parameters: String {
        switch self {
        case .logMessage, .anchorToDAG: "ii"
        case .checkResourceAuthorization, .recordResourceUsage: "iiI"
        case .submitJob: "iiiiiiIii"
        }
    }

    /// Whether the function returns a 32-bit integer, other than 0 for yes.
    public var returnsAnswer: Bool {
        switch self {
        case .logMessage, .recordResourceUsage: false
        case .anchorToDAG, .checkResourceAuthorization, .submitJob: true
        }
    }
}
