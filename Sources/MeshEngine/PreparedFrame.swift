public import IPLD
public import MeshCore
public import MeshDAG
public import MeshFederation
public import MeshGossip
public import MeshIdentity
public import MeshMarket

/// An anchor that came from outside, hashed, decoded and with its signature checked.
public enum PreparedAnchor: Sendable {
    case good(ReceivedAnchor, entries: [Entry?], attachments: [Block])
    /// Applied a moment ago; nothing was checked again.
    case repetition
    case bad(FeedError)
}

/// A signed message, decoded, with its signature checked.
public enum LiveMessage: Sendable {
    case bids(Bids, envelope: Envelope)
    case heartbeat(Heartbeat)
    case call(BidCall)
    case explainRequest(ExplainRequest)
    case explainAnswer(ExplainAnswer)
    /// The signer is not named: it is looked for among the members.
    case bundleSignature(CID, envelope: Envelope)
    case member(SignedMember)
    case suspicion(SignedSuspicion)
    /// Of a tag that this version does not know; neither acted on nor passed on.
    case unknown

    /// Whether it may ask to be sent over every link.
    var isUrgent: Bool {
        switch self {
        case .member, .suspicion: true
        default: false
        }
    }
}

/// A frame with everything about it checked that needs no state: the work that may be done by
/// several threads at once before a step.
public struct PreparedFrame: Sendable {
    public let frame: Frame
    /// For `push` and `have`, one for each anchor.
    public private(set) var anchors: [PreparedAnchor]
    /// For `message`; `nil` when it is not new.
    public let message: LiveMessage?
    /// The membership records that it carries, with good signatures all of them.
    public let members: [SignedMember]
    /// What is wrong with it, when something is: the frame is then not acted on.
    public let fault: (PeerFault, detail: String)?

    /// Decodes and checks one frame.
    ///
    /// - Parameters:
    ///   - type: The frame's type.
    ///   - body: Its bytes, within the type's cap.
    ///   - isKnown: Whether an anchor or message with this CID was dealt with already: repetitions
    ///     are not checked again, because signatures are the scarcest resource.
    ///   - isChecked: Whether the signature of this membership record was found good before.
    ///   - knownMember: The membership record with this CID, where it is at hand, decoded and checked.
    ///   - verifier: Checks signatures.
    public init(
        type: FrameType, body: [UInt8], isKnown: (CID) -> Bool, isChecked: (CID) -> Bool = { _ in false },
        knownMember: (CID) -> SignedMember? = { _ in nil }, verifier: some SignatureVerifier
    ) {
        var anchors: [PreparedAnchor] = []
        var message: LiveMessage?
        var members: [SignedMember] = []
        var fault: (PeerFault, detail: String)?
        var frame = Frame.pong(0)
        do throws(IPLDError) {
            frame = try Frame(type: type, body: body)
            switch frame {
            case .hello(_, _, _, let record):
                members = Self.members([record], isChecked, knownMember, verifier, &fault)
            case .overlay(_, _, _, let records), .members(let records):
                members = Self.members(records, isChecked, knownMember, verifier, &fault)
            case .push(let anchor, _): anchors = [Self.prepare(anchor, isKnown: isKnown, verifier: verifier)]
            case .have(let list):
                anchors = list.map { Self.prepare($0, isKnown: isKnown, verifier: verifier) }
            case .message(let bytes, _):
                let cid = CID(of: bytes, codec: .dagCBOR)
                if let known = knownMember(cid) {
                    if !isKnown(cid) { message = .member(known) }
                } else if !isKnown(cid) {
                    message = try Self.message(bytes, verifier: verifier)
                    if message == nil { fault = (.badSignature, "a message is not signed by whom it names") }
                }
            case .block(let cid, .some(let bytes)):
                if CID(of: bytes, codec: cid.codec) != cid {
                    fault = (.malformedFrame, "a block does not hash to \(cid)")
                }
            default: break
            }
        } catch {
            fault = (.malformedFrame, "\(type) frame: \(error.message)")
        }
        for case .bad(let error) in anchors where error.code == .malformed || error.code == .badSignature {
            fault = (error.code == .malformed ? .malformedFrame : .badSignature, error.message)
        }
        self.frame = frame
        self.anchors = anchors
        self.message = message
        self.members = members
        self.fault = fault
    }

    private static func members(
        _ records: [[UInt8]], _ isChecked: (CID) -> Bool, _ knownMember: (CID) -> SignedMember?,
        _ verifier: some SignatureVerifier, _ fault: inout (PeerFault, detail: String)?
    ) -> [SignedMember] {
        let members = records.compactMap { record in
            let cid = CID(of: record, codec: .dagCBOR)
            if let known = knownMember(cid) { return known }
            return isChecked(cid)
                ? SignedMember(decoding: record, verifier: Checked())
                : SignedMember(decoding: record, verifier: verifier)
        }
        if members.count != records.count {
            fault = (.badSignature, "a membership record is not signed by its subject")
        }
        return members
    }

    /// For what was checked before.
    private struct Checked: SignatureVerifier {
        func isSigned(_ envelope: Envelope, by author: DID) -> Bool { true }
    }

    /// Who has signed the anchor `id` of this frame, if it is a good one.
    func author(of id: CID) -> DID? {
        for case .good(let received, _, _) in anchors where received.cid == id {
            return received.anchor.author
        }
        return nil
    }

    /// The same frame for a receiver that knows some of its anchors: what ``init(type:body:isKnown:verifier:)``
    /// gives there, without decoding the bytes once more.
    public func repeated(where isKnown: (CID) -> Bool) -> PreparedFrame {
        guard fault == nil, !anchors.isEmpty else { return self }
        var copy = self
        copy.anchors = anchors.map { anchor in
            if case .good(let received, _, _) = anchor, isKnown(received.cid) { return .repetition }
            return anchor
        }
        return copy
    }

    /// Checks one anchor as it came over a wire or out of a file.
    public static func prepare(
        _ wire: WireAnchor, isKnown: (CID) -> Bool, verifier: some SignatureVerifier
    ) -> PreparedAnchor {
        let cid = CID(of: wire.envelope, codec: .dagCBOR)
        if isKnown(cid) { return .repetition }
        let entries = wire.entries.map { try? Entry(decoding: $0) }
        var index = 0
        do throws(FeedError) {
            let received = try ReceivedAnchor(
                cid: cid, bytes: wire.envelope, entries: wire.entries,
                attachments: { _ in
                    defer { index += 1 }
                    return entries[index]?.attachments ?? []
                }, verifier: verifier)
            return .good(
                received, entries: entries, attachments: wire.attachments.map { Block($0, codec: .dagCBOR) })
        } catch {
            return .bad(error)
        }
    }

    /// - Returns: `nil` when the signature is not that of whom the message names.
    private static func message(
        _ bytes: [UInt8], verifier: some SignatureVerifier
    ) throws(IPLDError) -> LiveMessage? {
        let envelope = try Envelope(decoding: bytes)
        let message: LiveMessage
        let signer: DID
        switch envelope.tag {
        case Bids.tag:
            let bids = try Bids(envelope)
            (message, signer) = (.bids(bids, envelope: envelope), bids.bidder)
        case Heartbeat.tag:
            let heartbeat = try Heartbeat(envelope)
            (message, signer) = (.heartbeat(heartbeat), heartbeat.executor)
        case BidCall.tag:
            let call = try BidCall(envelope)
            (message, signer) = (.call(call), call.placer)
        case ExplainRequest.tag:
            let request = try ExplainRequest(envelope)
            (message, signer) = (.explainRequest(request), request.asker)
        case ExplainAnswer.tag:
            let answer = try ExplainAnswer(envelope)
            (message, signer) = (.explainAnswer(answer), answer.node)
        case BundleEntry.signatureTag:
            return .bundleSignature(try BundleEntry.signedBody(envelope), envelope: envelope)
        case MemberRecord.tag:
            return SignedMember(decoding: bytes, verifier: verifier).map { .member($0) }
        case Suspicion.tag:
            return SignedSuspicion(decoding: bytes, verifier: verifier).map { .suspicion($0) }
        default: return .unknown
        }
        return verifier.isSigned(envelope, by: signer) ? message : nil
    }
}
