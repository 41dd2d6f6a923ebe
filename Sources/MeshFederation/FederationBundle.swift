public import IPLD
public import MeshCore
public import MeshIdentity
internal import MeshMarket

/// What a federation is: its members, how many of them must agree, and its rules.
///
/// The CID of the genesis body *is* the federation; members that configure the same name, members
/// and threshold get the same one.
public struct FederationBundle: Hashable, Sendable {
    public struct Member: Hashable, Comparable, Sendable {
        public var did: DID
        /// Nobody attests for their own organisation.
        public var organisation: String?

        public init(did: DID, organisation: String?) {
            self.did = did
            self.organisation = organisation
        }

        public static func < (a: Self, b: Self) -> Bool { a.did < b.did }
    }

    /// Who may draw on a resource.
    public struct Policy: Hashable, Sendable {
        public enum Rule: Hashable, Sendable {
            case allowAll
        }

        /// `*` stands for every resource or scope.
        public var resourceType: String
        public var scope: String
        public var rule: Rule

        public init(resourceType: String, scope: String, rule: Rule) {
            self.resourceType = resourceType
            self.scope = scope
            self.rule = rule
        }
    }

    public static let memberCountMax = 256

    public var name: String
    /// 0 for the genesis bundle; each successor is one higher.
    public var seq: UInt64
    /// The predecessor's body CID.
    public var prev: CID?
    /// Sorted by DID, distinct.
    public var members: [Member]
    public var threshold: UInt64
    public var policies: [Policy]
    /// Parameters of the folds, by name.
    public var foldParameters: [String: UInt64]

    /// The genesis bundle that these settings stand for.
    ///
    /// - Throws: ``FederationFailure/invalid`` for fewer than two members, repeated ones, or a
    ///   threshold that cannot be met: the executor never attests its own receipt, so at most
    ///   members − 1 can agree.
    public static func genesis(
        name: String, members: [Member], threshold: UInt64
    ) throws(FederationError) -> FederationBundle {
        let bundle = FederationBundle(
            name: name, seq: 0, prev: nil, members: members.sorted(), threshold: threshold,
            policies: [Policy(resourceType: "*", scope: "*", rule: .allowAll)],
            foldParameters: ["reputation_unknown": 50])
        try bundle.validate()
        return bundle
    }

    func validate() throws(FederationError) {
        guard members.count >= 2, members.count <= Self.memberCountMax else {
            throw FederationError(
                .invalid, "a federation has 2 to \(Self.memberCountMax) members, not \(members.count)")
        }
        guard zip(members, members.dropFirst()).allSatisfy({ $0.did < $1.did }) else {
            throw FederationError(.invalid, "a federation's members are sorted and distinct")
        }
        guard threshold >= 1, threshold < UInt64(members.count) else {
            throw FederationError(
                .invalid,
                "a threshold of \(threshold) cannot be met by \(members.count) members: the executor does not attest itself",
                hint: "choose 1 to \(members.count - 1)")
        }
    }

    public func member(_ did: DID) -> Member? { members.first { $0.did == did } }

    /// The members that may attest a receipt of `executor`.
    public func eligible(for executor: DID) -> [Member] {
        let organisation = member(executor)?.organisation
        return members.filter { member in
            member.did != executor && (organisation == nil || member.organisation != organisation)
        }
    }

    /// The body block.
    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("seq") { $0.unsigned(seq) }
            map.field("fold") { encoder in
                encoder.map { map in
                    for (name, value) in foldParameters.sorted(by: {
                        DAGCBOREncoder.MapWriter.canonicalOrder($0.key, $1.key)
                    }) { map.field(name) { $0.unsigned(value) } }
                }
            }
            map.field("name") { $0.text(name) }
            map.field("prev", ifPresent: prev) { $0.link($1) }
            map.field("members") { encoder in
                encoder.array(members) { encoder, member in
                    encoder.map { map in
                        map.field("did") { $0.did(member.did) }
                        map.field("organisation", ifPresent: member.organisation) { $0.text($1) }
                    }
                }
            }
            map.field("policies") { encoder in
                encoder.array(policies) { encoder, policy in
                    encoder.map { map in
                        map.field("rule") { encoder in
                            switch policy.rule {
                            case .allowAll: encoder.text("allow_all")
                            }
                        }
                        map.field("scope") { $0.text(policy.scope) }
                        map.field("resource_type") { $0.text(policy.resourceType) }
                    }
                }
            }
            map.field("threshold") { $0.unsigned(threshold) }
        }
        return encoder.bytes
    }

    /// The body's CID: the bundle's identity.
    public var cid: CID { CID(of: encoded, codec: .dagCBOR) }

    public init(
        name: String, seq: UInt64, prev: CID?, members: [Member], threshold: UInt64, policies: [Policy],
        foldParameters: [String: UInt64]
    ) {
        self.name = name
        self.seq = seq
        self.prev = prev
        self.members = members
        self.threshold = threshold
        self.policies = policies
        self.foldParameters = foldParameters
    }

    public init(decoding bytes: [UInt8]) throws(FederationError) {
        do throws(IPLDError) {
            self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
                try decoder.map { map throws(IPLDError) in try FederationBundle(&map) }
            }
        } catch {
            throw FederationError(.malformed, error.message)
        }
        try validate()
    }

    private init(_ map: inout DAGCBORDecoder.MapReader) throws(IPLDError) {
        seq = try map.amount("seq")
        foldParameters = try map.field("fold") { d throws(IPLDError) in
            try d.map { map throws(IPLDError) in
                var values: [String: UInt64] = [:]
                while let name = try map.nextKey() {
                    values[name] = try map.value { d throws(IPLDError) in try d.unsigned(atMost: amountMax) }
                    guard values.count <= 64 else { throw IPLDError(.tooLarge, "too many fold parameters") }
                }
                return values
            }
        }
        name = try map.field("name") { d throws(IPLDError) in try d.text(atMost: 64) }
        prev = try map.optional("prev") { d throws(IPLDError) in try d.link() }
        members = try map.field("members") { d throws(IPLDError) in
            try d.array(atMost: Self.memberCountMax) { d throws(IPLDError) in
                try d.map { map throws(IPLDError) in
                    let did = try map.field("did") { d throws(IPLDError) in try d.did() }
                    let organisation = try map.optional("organisation") { d throws(IPLDError) in
                        try d.text(atMost: 64)
                    }
                    return Member(did: did, organisation: organisation)
                }
            }
        }
        policies = try map.field("policies") { d throws(IPLDError) in
            try d.array(atMost: 256) { d throws(IPLDError) in
                try d.map { map throws(IPLDError) in
                    let rule = try map.field("rule") { d throws(IPLDError) in try d.text(atMost: 64) }
                    guard rule == "allow_all" else {
                        throw IPLDError(.schema, "\"\(rule)\" is not a policy rule")
                    }
                    let scope = try map.field("scope") { d throws(IPLDError) in try d.text(atMost: 64) }
                    let type = try map.field("resource_type") { d throws(IPLDError) in try d.text(atMost: 64)
                    }
                    return Policy(resourceType: type, scope: scope, rule: .allowAll)
                }
            }
        }
        threshold = try map.amount("threshold")
    }
}

/// Why a federation's record cannot be used.
public enum FederationFailure: String, Sendable, CaseIterable {
    case malformed = "federation.malformed"
    case invalid = "federation.invalid"
}

public typealias FederationError = CodedError<FederationFailure>
