internal import IPLD
internal import MeshCore
internal import MeshRuntime

/// A run's effects on their way from a worker to its parent: a DAG-CBOR list, one short list for each.
enum EffectEncoding {
    /// Bytes of all effects of a run; more than their own bounds let them have.
    static let byteCountMax = 8 << 20
    private static let reasonByteCountMax = 1_024

    private enum Kind: UInt64 {
        case anchored, used, submitted, refused
    }

    /// The bytes of `effects`; none without effects.
    static func encode(_ effects: [RunEffect]) -> [UInt8] {
        guard !effects.isEmpty else { return [] }
        var encoder = DAGCBOREncoder()
        encoder.array(effects) { encoder, effect in
            switch effect {
            case .anchored(let data):
                encoder.arrayHead(2)
                encoder.unsigned(Kind.anchored.rawValue)
                encoder.text(data)
            case .used(let resource, let amount):
                encoder.arrayHead(3)
                encoder.unsigned(Kind.used.rawValue)
                encoder.text(resource)
                encoder.unsigned(amount)
            case .submitted(let submission):
                encoder.arrayHead(7)
                encoder.unsigned(Kind.submitted.rawValue)
                encode(submission, &encoder)
            case .refused(let function, let reason):
                encoder.arrayHead(3)
                encoder.unsigned(Kind.refused.rawValue)
                encoder.text(function.rawValue)
                encoder.text(reason)
            }
        }
        return encoder.bytes
    }

    private static func encode(_ submission: RunSubmission, _ encoder: inout DAGCBOREncoder) {
        encoder.link(submission.code)
        encoder.text(submission.description)
        encoder.text(submission.resource)
        encoder.unsigned(submission.amount)
        encoder.text(submission.priority)
        let needs = submission.requirements
        encoder.map { map in
            map.field("cpu", ifPresent: needs.cpu) { $0.unsigned($1) }
            map.field("max_bid", ifPresent: needs.maxBid) { $0.unsigned($1) }
            map.field("location", ifPresent: needs.location) { $0.text($1) }
            map.field("memory_mib", ifPresent: needs.memoryMiB) { $0.unsigned($1) }
            map.field("max_seconds", ifPresent: needs.maxSeconds) { $0.unsigned($1) }
            map.field("min_reputation", ifPresent: needs.minReputation) { $0.unsigned($1) }
        }
    }

    /// What ``encode(_:)`` made; `nil` for anything that no sound worker would say.
    static func decode(_ bytes: [UInt8]) -> [RunEffect]? {
        guard !bytes.isEmpty else { return [] }
        guard bytes.count <= byteCountMax else { return nil }
        let effects = try? DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.array(atMost: RunEffectLimits.effectCountMax) { d throws(IPLDError) in
                try effect(&d)
            }
        }
        guard let effects else { return nil }
        let submissions = effects.count { if case .submitted = $0 { true } else { false } }
        return submissions <= Int(RunEffectLimits.submissionCountMax) ? effects : nil
    }

    private static func effect(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> RunEffect {
        let count = try decoder.arrayHead(atMost: 7)
        guard count > 0, let kind = Kind(rawValue: try decoder.unsigned()) else {
            throw unknown(decoder.offset)
        }
        switch (kind, count) {
        case (.anchored, 2):
            return .anchored(try decoder.text(atMost: RunEffectLimits.anchoredByteCountMax))
        case (.used, 3):
            let resource = try resource(&decoder)
            return .used(resource: resource, amount: try decoder.unsigned(atMost: UInt64(Int64.max)))
        case (.submitted, 7): return .submitted(try submission(&decoder))
        case (.refused, 3):
            guard let function = HostFunction(rawValue: try decoder.text(atMost: 64)) else {
                throw unknown(decoder.offset)
            }
            return .refused(function, reason: try decoder.text(atMost: reasonByteCountMax))
        default: throw unknown(decoder.offset)
        }
    }

    private static func submission(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> RunSubmission {
        let code = try decoder.link()
        let description = try decoder.text(atMost: RunEffectLimits.descriptionByteCountMax)
        let resource = try resource(&decoder)
        let amount = try decoder.unsigned(atMost: ContractHost.submissionAmountMax.magnitude)
        let priority = try decoder.text(atMost: ContractHost.priorityByteCountMax)
        guard amount > 0, ContractHost.priorities.contains(priority) else { throw unknown(decoder.offset) }
        return RunSubmission(
            code: code, description: description, resource: resource, amount: amount, priority: priority,
            requirements: try ContractSection.readRequirements(&decoder))
    }

    private static func resource(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> String {
        let name = try decoder.text(atMost: RunEffectLimits.resourceByteCountMax)
        guard !name.isEmpty else { throw unknown(decoder.offset) }
        return name
    }

    private static func unknown(_ offset: Int) -> IPLDError {
        IPLDError(.schema, "no effect of a run before byte \(offset)")
    }
}
