internal import IPLD
internal import MeshCore

/// The functions that the language has by itself: what they are called with, and what is checked of constants.
enum LanguageFunction: String, CaseIterable {
    case submitJob = "submit_job"
    case anchorData = "anchor_data"
    case log
    case logEvent = "log_event"
    case check = "check_resource_authorization"
    case record = "record_resource_usage"
    case performAction = "perform_action"
    case performMeteredAction = "perform_metered_action"
    case mintTokens = "mint_tokens"
    case require
    case fail
    case min
    case max
    case round
    case floor
    case ceil
    case length
    case text

    struct Parameter {
        enum Kind {
            /// Text, and what is known of it.
            case string, cid, resource, priority
            case amount
            case boolean
            /// Checked by the function itself.
            case any
        }

        var labels: [String]
        var kind: Kind
        var initial: Constant?
        var isRequired: Bool
        /// For messages.
        var quotedName: String

        init(_ labels: String..., as kind: Kind, initial: Constant? = nil, isOptional: Bool = false) {
            self.labels = labels
            self.kind = kind
            self.initial = initial
            isRequired = initial == nil && !isOptional
            quotedName = "`\(labels.first ?? "")`"
        }
    }

    static let amountMax: Int64 = 1 << 53
    static let priorities = ["critical", "high", "low", "medium"]

    /// By name, other names included.
    static let byName: [String: LanguageFunction] = {
        var byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
        byName["mint_token"] = .mintTokens
        return byName
    }()

    static let names = byName.keys.sorted()

    /// What other hosts of the language give to contracts, and the five functions of this one do not.
    static let notProvided: Set<String> = [
        "call_host", "create_proposal", "get_job_result", "get_resource_balance", "query_dag_node",
        "timestamp",
        "transfer_resource", "transfer_token", "transfer_tokens", "use_resource",
    ]

    /// Whether `name { … }` is a call where something runs.
    static func isBlockCall(_ name: String) -> Bool { byName[name] != nil || notProvided.contains(name) }

    /// What a function is called with.
    struct Signature {
        let parameters: [Parameter]
        let labels: [[String]]
        let required: [Bool]

        init(_ parameters: [Parameter]) {
            self.parameters = parameters
            labels = parameters.map(\.labels)
            required = parameters.map(\.isRequired)
        }
    }

    var signature: Signature { Self.signatures[self] ?? Signature([]) }

    private static let signatures = table.mapValues(Signature.init)

    private static let compute = Constant.string("compute")
    private static let table: [LanguageFunction: [Parameter]] = [
        .submitJob: [
            Parameter("wasm_cid", as: .cid), Parameter("description", as: .string, initial: .string("")),
            Parameter("resource_type", as: .resource, initial: compute),
            Parameter("resource_amount", as: .amount),
            Parameter("priority", as: .priority, initial: .string("medium")),
        ],
        .anchorData: [
            Parameter("data", "cid", as: .any), Parameter("path", as: .string, initial: .string("")),
        ],
        .log: [Parameter("message", as: .string)],
        .logEvent: [Parameter("name", as: .string), Parameter("detail", as: .string, initial: .string(""))],
        .check: [Parameter("resource_type", as: .resource), Parameter("amount", as: .amount)],
        .record: [Parameter("resource_type", as: .resource), Parameter("amount", as: .amount)],
        .performAction: [
            Parameter("action", "name", as: .resource), Parameter("amount", as: .amount),
            Parameter("resource_type", as: .resource, initial: compute),
        ],
        .performMeteredAction: [
            Parameter("action", "name", as: .resource),
            Parameter("resource_type", as: .resource, initial: compute), Parameter("amount", as: .amount),
        ],
        .mintTokens: [
            Parameter("type", "token", as: .resource), Parameter("amount", as: .amount, initial: .integer(1)),
            Parameter("recipient", "recipients", as: .string),
            Parameter("data", as: .any, isOptional: true),
        ],
        .require: [
            Parameter("condition", as: .boolean), Parameter("message", as: .string, initial: .string("")),
        ],
        .fail: [Parameter("message", as: .string)],
        .min: [Parameter("a", as: .any), Parameter("b", as: .any)],
        .max: [Parameter("a", as: .any), Parameter("b", as: .any)],
        .round: [Parameter("value", as: .any)],
        .floor: [Parameter("value", as: .any)],
        .ceil: [Parameter("value", as: .any)],
        .length: [Parameter("value", as: .any)],
        .text: [Parameter("value", as: .any)],
    ]

    // MARK: Constants

    static func fault(inPriority text: String) -> (String, String)? {
        guard !priorities.contains(text) else { return nil }
        return (
            "\"\(text)\" is no priority",
            NearestName.of(text, among: priorities).map { "did you mean \"\($0)\"?" }
                ?? "write \"low\", \"medium\", \"high\" or \"critical\""
        )
    }

    /// Whether there is such a module nobody knows here.
    static func fault(inCID text: String) -> (String, String)? {
        guard text.utf8.count > 128 || (try? CID(text)) == nil else { return nil }
        return (
            "This is no CID",
            "a CID begins with `b` (base32) or `Qm` (base58)"
        )
    }
}
