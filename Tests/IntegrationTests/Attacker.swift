import Foundation
import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshGossip
import MeshIdentity
import MeshTransport

/// A peer with a valid certificate and bad intentions.
final class Attacker: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    let identity: Identity
    private let condition = NSCondition()
    private var events: [TransportEvent] = []
    private var transport: TLSTransport?

    /// Makes an identity of its own.
    init() throws {
        identity = Identity(
            try Ed25519PrivateKey(seed: Bytes32((0..<32).map { _ in UInt8.random(in: 0...255) })))
        // Its own transport shall send whatever it likes.
        var options = TransportConfiguration(identity: identity, frameByteCountMax: { _ in 64 << 20 })
        options.sendQueueByteCountMax = 256 << 20
        transport = try TLSTransport(options) { [weak self] batch in
            guard let self else { return }
            condition.withLock {
                for event in batch {
                    // What honest nodes send is of no interest, but for the farewell.
                    if case .frame(_, let type, _) = event, type != FrameType.bye.rawValue { continue }
                    events.append(event)
                }
                condition.broadcast()
            }
        }
    }

    deinit { transport?.shutdown() }

    private func wait<Value>(_ what: String, for pick: ([TransportEvent]) -> Value?) throws -> Value {
        let deadline = Date(timeIntervalSinceNow: 20)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value = pick(events) { return value }
            guard condition.wait(until: deadline) else {
                throw HarnessError("\(what): only \(events.suffix(5))")
            }
        }
    }

    /// Its membership record, which names no address.
    var member: SignedMember {
        SignedMember(
            signing: MemberRecord(
                did: identity.did, addresses: [], incarnation: 1,
                time: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))),
            by: identity)
    }

    /// Connects and says hello.
    func connect(to node: TestNode) throws -> LinkID {
        condition.withLock { events = [] }
        transport?.dial(try SocketAddress(node.address), expecting: nil)
        let link = try wait("no link with \(node.name)") { events in
            for case .linkOpened(let link, _, _, _) in events { return link }
            return nil
        }
        let fingerprint = SHA256.hash(Array("nothing".utf8))
        send(
            .hello(network: "main", features: [], fingerprint: fingerprint, member: member.envelope), to: link
        )
        return link
    }

    @discardableResult
    func send(_ frame: Frame, to link: LinkID) -> Bool {
        transport?.send(frame.type.rawValue, frame.encoded, to: link) ?? false
    }

    @discardableResult
    func send(type: UInt8, _ body: [UInt8], to link: LinkID) -> Bool {
        transport?.send(type, body, to: link) ?? false
    }

    /// Waits until the other side has ended the link, and returns the code of its farewell.
    func closed(_ link: LinkID) throws -> String? {
        _ = try wait("the link stays open") { events in
            for case .linkClosed(link, _, let reason) in events { return reason }
            return nil
        }
        return condition.withLock {
            for case .frame(_, let type, let body) in events where type == FrameType.bye.rawValue {
                if let frame = try? Frame(type: .bye, body: body), case .bye(let code, _) = frame {
                    return code
                }
            }
            return nil
        }
    }

    /// Ends the link after everything that was sent.
    func hangUp(_ link: LinkID) { transport?.close(link) }

    func end() { transport?.shutdown() }

    // MARK: Anchors

    /// An entry of a kind that nobody knows.
    static func note(_ number: Int, size: Int = 0) -> [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("kind") { $0.text("test.note") }
            map.field("text") { $0.text(String(repeating: "x", count: size)) }
            map.field("number") { $0.unsigned(UInt64(number)) }
        }
        return encoder.bytes
    }

    /// A signed anchor of this author, or of another whose key was stolen.
    func anchor(
        seq: UInt64, after previous: WireAnchor? = nil, milliseconds: Int64? = nil, note: [UInt8],
        by stolen: Identity? = nil
    ) -> WireAnchor {
        let identity = stolen ?? identity
        let now = milliseconds ?? Int64(Date().timeIntervalSince1970 * 1000) + Int64(seq)
        let prev = previous.map { CID(of: $0.envelope, codec: .dagCBOR) }
        let anchor = Anchor(
            author: identity.did, scope: "default", seq: seq,
            prev: prev ?? (seq == 0 ? nil : CID(of: [1, 2, 3], codec: .dagCBOR)), parents: [],
            time: HybridTime(milliseconds: now, counter: 0), entries: [CID(of: note, codec: .dagCBOR)])
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: identity)
        return WireAnchor(envelope: envelope.bytes, entries: [note], attachments: [])
    }
}
