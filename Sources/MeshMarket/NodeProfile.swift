public import IPLD
public import MeshCore
public import MeshRuntime

/// What a node says of itself, published in its feed when it changes.
public struct NodeProfile: Hashable, Sendable {
    public static let kind = "node.profile"

    public enum Role: String, Hashable, Sendable, CaseIterable { case submitter, executor, verifier }

    /// What the node offers; more than the machine has is the operator's decision to overcommit.
    public struct Capacity: Hashable, Sendable {
        public var cpu: UInt64
        public var memoryMiB: UInt64
        public var storageMiB: UInt64

        public init(cpu: UInt64, memoryMiB: UInt64, storageMiB: UInt64) {
            self.cpu = cpu
            self.memoryMiB = memoryMiB
            self.storageMiB = storageMiB
        }
    }

    public var name: String
    public var roles: [Role]
    /// Where the node can be reached, as `host:port`.
    public var addresses: [String]
    public var capacity: Capacity
    public var languages: [String]
    public var engines: [EngineDescription]
    public var location: String?
    public var labels: [String: String]
    /// For 1,000 units of `compute`.
    public var computePrice: UInt64

    public init(
        name: String, roles: [Role], addresses: [String], capacity: Capacity, languages: [String],
        engines: [EngineDescription], location: String?, labels: [String: String], computePrice: UInt64
    ) {
        self.name = name
        self.roles = roles
        self.addresses = addresses
        self.capacity = capacity
        self.languages = languages
        self.engines = engines
        self.location = location
        self.labels = labels
        self.computePrice = computePrice
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("name") { $0.text(name) }
            map.field("price") { encoder in
                encoder.map { map in map.field("compute") { $0.unsigned(computePrice) } }
            }
            map.field("roles") { $0.texts(roles.map(\.rawValue)) }
            map.field("labels") { $0.textMap(labels) }
            map.field("engines") { encoder in encoder.array(engines) { $0.engine($1) } }
            map.field("capacity") { encoder in
                encoder.map { map in
                    map.field("cpu") { $0.unsigned(capacity.cpu) }
                    map.field("memory_mib") { $0.unsigned(capacity.memoryMiB) }
                    map.field("storage_mib") { $0.unsigned(capacity.storageMiB) }
                }
            }
            map.field("location", ifPresent: location) { $0.text($1) }
            map.field("addresses") { $0.texts(addresses) }
            map.field("languages") { $0.texts(languages) }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                try map.kind(Self.kind)
                let name = try map.field("name") { d throws(IPLDError) in try d.text(atMost: 64) }
                let price = try map.field("price") { d throws(IPLDError) in
                    try d.map { map throws(IPLDError) in try map.amount("compute") }
                }
                let roles = try map.field("roles") { d throws(IPLDError) in
                    try d.texts(atMost: 8, each: 32).compactMap(Role.init(rawValue:))
                }
                let labels = try map.field("labels") { d throws(IPLDError) in
                    try d.textMap(atMost: 64, each: 256)
                }
                let engines = try map.field("engines") { d throws(IPLDError) in
                    try d.array(atMost: 16) { d throws(IPLDError) in try d.engine() }
                }
                let capacity = try map.field("capacity") { d throws(IPLDError) in
                    try d.map { map throws(IPLDError) in
                        let cpu = try map.amount("cpu")
                        let memory = try map.amount("memory_mib")
                        return Capacity(
                            cpu: cpu, memoryMiB: memory, storageMiB: try map.amount("storage_mib"))
                    }
                }
                let location = try map.optional("location") { d throws(IPLDError) in try d.text(atMost: 256) }
                let addresses = try map.field("addresses") { d throws(IPLDError) in
                    try d.texts(atMost: 16, each: 256)
                }
                let languages = try map.field("languages") { d throws(IPLDError) in
                    try d.texts(atMost: 16, each: 64)
                }
                return NodeProfile(
                    name: name, roles: roles, addresses: addresses, capacity: capacity, languages: languages,
                    engines: engines, location: location, labels: labels, computePrice: price)
            }
        }
    }

    /// What `units` of compute cost at a price for 1,000 of them, rounded up.
    public static func price(units: UInt64, perThousand: UInt64) -> UInt64 {
        let (product, overflow) = units.multipliedReportingOverflow(by: perThousand)
        return overflow ? amountMax : product / 1000 + (product % 1000 == 0 ? 0 : 1)
    }
}
