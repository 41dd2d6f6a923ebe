internal import IPLD
internal import MeshEngine
internal import MeshGossip

/// What the nodes of one run have in common of what is said, kept once and not once for each node.
///
/// A broadcast says the same bytes over every link of a hop, and a membership record comes to a node from many
/// others. Decoding and checking signatures is a function of the bytes, so the first to need it does it for all.
/// Used by one thread.
final class CommonFrames {
    private struct Said: Hashable {
        let type: FrameType
        let body: [UInt8]
    }

    /// The records with good signatures, by the CIDs of their envelopes; one for each incarnation.
    private(set) var members: [CID: SignedMember] = [:]
    /// What was said last, and what was said before that: forgotten by the generation.
    private var young: [Said: SharedFrame] = [:]
    private var old: [Said: SharedFrame] = [:]

    /// How many frames a generation has.
    private static let generationSize = 1_024

    /// The frame of these bytes, the same for all who say it at about the same time.
    func frame(_ type: FrameType, _ body: [UInt8]) -> SharedFrame {
        // The others are for one receiver.
        guard type == .push || type == .message else { return SharedFrame(type, body) }
        let said = Said(type: type, body: body)
        if let known = young[said] { return known }
        let frame = old[said] ?? SharedFrame(type, body)
        if young.count >= Self.generationSize {
            old = young
            young = [:]
        }
        young[said] = frame
        return frame
    }

    /// Remembers the records that a frame has brought.
    func keep(_ prepared: PreparedFrame) {
        for member in prepared.members {
            let cid = CID(of: member.envelope, codec: .dagCBOR)
            if members[cid] == nil { members[cid] = member }
        }
        if case .member(let member)? = prepared.message {
            let cid = CID(of: member.envelope, codec: .dagCBOR)
            if members[cid] == nil { members[cid] = member }
        }
    }
}
