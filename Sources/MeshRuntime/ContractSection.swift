package import IPLD
internal import MeshCore

/// What a contract declares about itself in its module's custom section `ccl`, as far as a run depends on it.
///
/// The section is one DAG-CBOR map. Its other declarations are for people and are passed over.
public struct ContractSection: Hashable, Sendable {
    /// How much of one resource the contract says that it may use.
    public struct Limit: Hashable, Sendable {
        /// 1 to 64 bytes.
        public let resource: String
        /// `nil` where the contract sets no bound.
        public let amount: UInt64?

        public init(resource: String, amount: UInt64?) {
            self.resource = resource
            self.amount = amount
        }
    }

    /// The custom section's name.
    public static let name = "ccl"
    /// Bytes of the whole section.
    public static let byteCountMax = 1 << 20
    public static let limitCountMax = 256
    public static let locationByteCountMax = 256

    /// Each resource once.
    public let limits: [Limit]
    /// What the jobs that the contract submits ask of a node.
    public let requirements: SubmissionRequirements
    /// Where a resource's limit stands, by the bytes of its name: a program may ask for it in a loop.
    private let places: [[UInt8]: Int]

    /// - Parameters:
    ///   - limits: Of two for one resource the first counts; a module's section cannot have two.
    ///   - requirements: What the contract's jobs ask of a node.
    public init(limits: [Limit] = [], requirements: SubmissionRequirements = SubmissionRequirements()) {
        self.limits = limits
        self.requirements = requirements
        places = Dictionary(
            limits.enumerated().map { (Array($0.element.resource.utf8), $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Reads the section's map, which fills `range` of `module`.
    ///
    /// - Throws: ``ModuleRefusal`` with the byte of the module at which the map stops being one.
    public init(_ module: [UInt8], in range: Range<Int>) throws(ModuleRefusal) {
        guard range.count <= Self.byteCountMax else {
            throw ModuleRefusal(
                .invalid,
                "the section \(Self.name) has \(range.count) bytes; \(Self.byteCountMax) are allowed",
                offset: range.lowerBound)
        }
        var decoder = DAGCBORDecoder(module, in: range)
        do throws(IPLDError) {
            self = try Self.read(&decoder)
            try decoder.finish()
        } catch {
            throw ModuleRefusal(
                .invalid, "the section \(Self.name) is malformed: \(error.message)", offset: decoder.offset)
        }
        for (index, limit) in limits.enumerated() where places[Array(limit.resource.utf8)] != index {
            throw ModuleRefusal(
                .invalid, "the section \(Self.name) limits \"\(limit.resource)\" twice",
                offset: range.lowerBound)
        }
    }

    /// The limit that the contract declares for `resource`, or `nil`; names are compared byte by byte.
    public func limit(of resource: String) -> Limit? {
        places[Array(resource.utf8)].map { limits[$0] }
    }

    private static func read(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> ContractSection {
        try decoder.map { map throws(IPLDError) in
            let limits = try map.optional("limits") { d throws(IPLDError) in
                try d.array(atMost: limitCountMax) { d throws(IPLDError) in try readLimit(&d) }
            }
            try map.field("version") { d throws(IPLDError) in
                guard try d.unsigned() == 1 else {
                    throw IPLDError(.schema, "another version than 1 before byte \(d.offset)")
                }
            }
            _ = try map.optional("declarations") { d throws(IPLDError) in try d.skip() }
            let requirements = try map.optional("requirements") { d throws(IPLDError) in
                try readRequirements(&d)
            }
            return ContractSection(
                limits: limits ?? [], requirements: requirements ?? SubmissionRequirements())
        }
    }

    private static func readLimit(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> Limit {
        try decoder.map { map throws(IPLDError) in
            let amount = try map.optional("amount") { d throws(IPLDError) in
                try d.unsigned(atMost: UInt64(Int64.max))
            }
            let resource = try map.field("resource") { d throws(IPLDError) in
                let text = try d.text(atMost: RunEffectLimits.resourceByteCountMax)
                guard !text.isEmpty else {
                    throw IPLDError(.schema, "a resource without a name before byte \(d.offset)")
                }
                return text
            }
            return Limit(resource: resource, amount: amount)
        }
    }

    /// Reads the map that says what the contract's jobs ask of a node.
    package static func readRequirements(
        _ decoder: inout DAGCBORDecoder
    ) throws(IPLDError) -> SubmissionRequirements {
        let most: UInt64 = 1 << 53
        return try decoder.map { map throws(IPLDError) in
            var found = SubmissionRequirements()
            found.cpu = try map.optional("cpu") { d throws(IPLDError) in try d.unsigned(atMost: most) }
            found.maxBid = try map.optional("max_bid") { d throws(IPLDError) in
                try d.unsigned(atMost: most)
            }
            found.location = try map.optional("location") { d throws(IPLDError) in
                try d.text(atMost: locationByteCountMax)
            }
            found.memoryMiB = try map.optional("memory_mib") { d throws(IPLDError) in
                try d.unsigned(atMost: most)
            }
            found.maxSeconds = try map.optional("max_seconds") { d throws(IPLDError) in
                try d.unsigned(atMost: most)
            }
            found.minReputation = try map.optional("min_reputation") { d throws(IPLDError) in
                try d.unsigned(atMost: 100)
            }
            return found
        }
    }
}
