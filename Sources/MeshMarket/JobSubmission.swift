public import IPLD
public import MeshCore
public import MeshRuntime

/// A job that a run has asked for, as a block that its receipt names and that travels with it.
///
/// The block says what the program asked for and nothing else; who pays, who places and how the result is checked
/// follow from the parent (``JobManifest/child(of:cid:receipt:closed:index:submission:)``).
public struct JobSubmission: Hashable, Sendable {
    public static let kind = "job.submission"

    /// Its place in the receipt, from 0; it makes two equal requests two blocks.
    public var index: UInt64
    public var request: RunSubmission

    public init(index: UInt64, request: RunSubmission) {
        self.index = index
        self.request = request
    }

    /// The blocks of a run's submissions, in order.
    public static func blocks(_ submissions: [RunSubmission]) -> [Block] {
        submissions.enumerated().map { index, request in
            Block(JobSubmission(index: UInt64(index), request: request).encoded, codec: .dagCBOR)
        }
    }

    public var encoded: [UInt8] {
        let needs = request.requirements
        var encoder = DAGCBOREncoder(capacity: 256)
        encoder.map { map in
            map.field("cpu", ifPresent: needs.cpu) { $0.unsigned($1) }
            map.field("code") { $0.link(request.code) }
            map.field("kind") { $0.text(Self.kind) }
            map.field("index") { $0.unsigned(index) }
            map.field("amount") { $0.unsigned(request.amount) }
            map.field("max_bid", ifPresent: needs.maxBid) { $0.unsigned($1) }
            map.field("location", ifPresent: needs.location) { $0.text($1) }
            map.field("priority") { $0.text(request.priority) }
            map.field("resource") { $0.text(request.resource) }
            map.field("memory_mib", ifPresent: needs.memoryMiB) { $0.unsigned($1) }
            map.field("description") { $0.text(request.description) }
            map.field("max_seconds", ifPresent: needs.maxSeconds) { $0.unsigned($1) }
            map.field("min_reputation", ifPresent: needs.minReputation) { $0.unsigned($1) }
        }
        return encoder.bytes
    }

    /// Reads one block; anything but the canonical form within its bounds is refused.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                func optional(
                    _ name: String, _ map: inout DAGCBORDecoder.MapReader
                ) throws(IPLDError) -> UInt64? {
                    try map.optional(name) { d throws(IPLDError) in try d.unsigned(atMost: amountMax) }
                }
                var needs = SubmissionRequirements()
                needs.cpu = try optional("cpu", &map)
                let code = try map.field("code") { d throws(IPLDError) in try d.link() }
                try map.kind(Self.kind)
                let index = try map.amount("index")
                let amount = try map.amount("amount")
                needs.maxBid = try optional("max_bid", &map)
                needs.location = try map.optional("location") { d throws(IPLDError) in
                    try d.text(atMost: 256)
                }
                let priority = try map.field("priority") { d throws(IPLDError) in try d.text(atMost: 16) }
                let resource = try map.field("resource") { d throws(IPLDError) in
                    try d.text(atMost: RunEffectLimits.resourceByteCountMax)
                }
                needs.memoryMiB = try optional("memory_mib", &map)
                let description = try map.field("description") { d throws(IPLDError) in
                    try d.text(atMost: RunEffectLimits.descriptionByteCountMax)
                }
                needs.maxSeconds = try optional("max_seconds", &map)
                needs.minReputation = try optional("min_reputation", &map)
                return JobSubmission(
                    index: index,
                    request: RunSubmission(
                        code: code, description: description, resource: resource, amount: amount,
                        priority: priority, requirements: needs))
            }
        }
    }
}
