internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshEngine
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime

/// What a node does wrong on purpose, so that others can be tried against it.
///
/// The engine stays honest: these are changes to what goes into it and comes out of it, which is all that
/// an attacker's peers would see as well.
enum Misbehaviour: String, Sendable, CaseIterable {
    /// Claims an output that the job does not have.
    case wrongOutput = "wrong-output"
    /// Claims one unit of fuel more than was used.
    case wrongFuel = "wrong-fuel"
    /// Finds every result of others wrong that it replays.
    case falseAttest = "false-attest"
    /// Bids, wins, and is not heard of again.
    case vanish
    /// Signs two histories.
    case equivocate
    /// Sends thousands of messages a second that are well signed and mean nothing.
    case flood

    /// How many messages a flood sends at once, 20 times a second.
    static let floodMessageCount = 100

    /// What is reported in place of `result`.
    func alter(_ result: RunResult, for purpose: RunTicket.Purpose) -> RunResult {
        var altered = result
        switch (self, purpose) {
        case (.wrongOutput, .execute), (.falseAttest, .replay): altered.stdout += Array("forged".utf8)
        case (.wrongFuel, .execute): altered.metering.fuel += 1
        default: break
        }
        return altered
    }

    /// Whether a run is not started.
    func withholds(_ purpose: RunTicket.Purpose) -> Bool {
        if self == .vanish, case .execute = purpose { true } else { false }
    }

    /// What is sent in place of one frame.
    func outgoing(_ type: FrameType, _ body: [UInt8], by identity: Identity) -> [(FrameType, [UInt8])] {
        let honest = [(type, body)]
        guard self == .vanish || self == .equivocate, let frame = try? Frame(type: type, body: body) else {
            return honest
        }
        switch frame {
        case .message(let bytes, _) where self == .vanish:
            // A sign of life would keep the job waiting.
            return (try? Envelope(decoding: bytes))?.tag == Heartbeat.tag ? [] : honest
        case .push(let anchor, let hops) where self == .equivocate:
            guard let twin = Self.twin(of: anchor, by: identity) else { return honest }
            let second = Frame.push(twin, hops: hops)
            return honest + [(second.type, second.encoded)]
        default: return honest
        }
    }

    /// Another anchor of ours at the place of this one; the first of all has none, so that the node is known.
    private static func twin(of wire: WireAnchor, by identity: Identity) -> WireAnchor? {
        guard let envelope = try? Envelope(decoding: wire.envelope), let anchor = try? Anchor(envelope),
            anchor.author == identity.did, anchor.seq > 0
        else { return nil }
        var entry = DAGCBOREncoder(capacity: 64)
        entry.map { map in
            map.field("seq") { $0.unsigned(anchor.seq) }
            map.field("kind") { $0.text("test.twin") }
        }
        let bytes = entry.bytes
        let twin = Anchor(
            author: anchor.author, scope: anchor.scope, seq: anchor.seq, prev: anchor.prev,
            parents: anchor.parents, time: anchor.time, entries: [CID(of: bytes, codec: .dagCBOR)])
        let signed = Envelope(signing: twin.encoded, tag: Anchor.tag, by: identity)
        return WireAnchor(envelope: signed.bytes, entries: [bytes], attachments: [])
    }

    /// The frames of one burst; `start` makes each message a new one.
    static func flood(from start: UInt64, by identity: Identity) -> [(FrameType, [UInt8])] {
        (0..<UInt64(floodMessageCount)).map { number in
            var payload = DAGCBOREncoder(capacity: 32)
            payload.map { map in map.field("number") { $0.unsigned(start + number) } }
            let envelope = Envelope(signing: payload.bytes, tag: "test/flood@1", by: identity)
            let frame = Frame.message(envelope: envelope.bytes, hops: 4)
            return (frame.type, frame.encoded)
        }
    }
}
