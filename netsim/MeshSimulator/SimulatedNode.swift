internal import IPLD
internal import MeshCore
internal import MeshEngine
internal import MeshGossip
internal import MeshIdentity
internal import MeshStorage

/// One process of the simulated mesh: a real engine on a simulated disk, driven as the daemon's loop does.
final class SimulatedNode {
    /// Something for the engine, as it came.
    enum Item {
        case input(EngineInput)
        case frame(SimulatedLink, SharedFrame)
    }

    let index: Int
    let name: String
    let signer: any Signer
    let settings: NodeSettings
    let behaviour: Behaviour.Kind?
    /// When it misbehaves.
    let window: Range<Int64>
    let disk: MemoryStorage
    let blobs = SimulatedBlobs()
    /// Decides what this node's own chance decides; nobody else draws from it.
    var generator: SeededGenerator

    /// `nil` while the process is dead or the disk has failed it.
    var engine: EngineBox?
    var isUp = false
    /// How many faults make it stand still.
    var pauses = 0
    /// Whether a commit is under way.
    var isCommitting = false
    /// Rises with every death, so that what was meant for an earlier life is not delivered.
    var life = 0
    var inbox: [Item] = []
    /// When an engine that the disk failed is made again.
    var retryAt: Int64?
    var scheduledDeadline: Int64?
    var isSyncScheduled = false
    /// What a commit takes longer, in microseconds.
    var diskDelay: Int64 = 0
    /// Whether syncs do nothing.
    var isDiskLying = false
    /// Whether it ever did: what nobody else keeps may be lost.
    var hasDiskLied = false
    /// What the clock is off by, in milliseconds.
    var clockOffset: Int64 = 0
    private var lastNow = Timestamp(milliseconds: 0)

    /// The ends of links that are open here, by the links' numbers.
    var links: [UInt64: SimulatedLink] = [:]
    var unanswered: [RequestID] = []
    /// What it has seen go by, for those who say things again.
    var recorded: [SharedFrame] = []
    var hasEquivocated = false
    /// Whom it has said to be gone, and not to be back.
    var gone: Set<DID> = []
    /// The first record that it has heard of each member, and the highest incarnation, for those who
    /// attack memberships.
    var oldRecords: [DID: [UInt8]] = [:]
    var incarnations: [DID: UInt64] = [:]

    init(
        index: Int, signer: any Signer, settings: NodeSettings, behaviour: Behaviour.Kind?,
        window: Range<Int64>, pool: BlockPool,
        generator: SeededGenerator
    ) {
        self.index = index
        name = NodeName.text(index)
        self.signer = signer
        self.settings = settings
        self.behaviour = behaviour
        self.window = window
        disk = MemoryStorage(pool: pool, keepsUnsynced: true)
        self.generator = generator
    }

    var did: DID { signer.did }
    var isHonest: Bool { behaviour == nil }

    /// The wall clock at the start of every run: 2027-01-15T08:00:00Z.
    static let epoch: Int64 = 1_800_000_000_000

    /// This node's clock, kept from running backwards as the daemon keeps its own.
    func now(_ time: Int64) -> Timestamp {
        lastNow = max(lastNow, Timestamp(milliseconds: Self.epoch + time / 1_000 + clockOffset))
        return lastNow
    }

    /// When this node's clock will show `instant`.
    func time(of instant: Timestamp) -> Int64 {
        // An engine may name the first or the last instant there is: at once, or never.
        let span = instant - Timestamp(milliseconds: Self.epoch + clockOffset)
        let (microseconds, overflow) = span.multipliedReportingOverflow(by: 1_000)
        return overflow ? (span < 0 ? .min : .max) : microseconds
    }

    /// A process that starts anew reads its clock anew.
    func forgetTime() { lastNow = Timestamp(milliseconds: 0) }

    var openLinks: [SimulatedLink] { links.sorted { $0.key < $1.key }.map(\.value) }
}

/// A connection between two nodes; frames keep their order in each direction.
final class SimulatedLink {
    let id: UInt64
    /// The one who dialled, and the one who was.
    let ends: (Int, Int)
    /// One way, without jitter, in microseconds.
    let latency: Int64
    var isOpen = (true, true)
    /// When the last frame in each direction arrives.
    var arrivals: (Int64, Int64) = (0, 0)
    /// What cannot pass at present, by direction.
    var held: ([Parcel], [Parcel]) = ([], [])
    /// The lives of both processes that the link belongs to.
    let lives: (Int, Int)

    init(id: UInt64, from: Int, to: Int, latency: Int64, lives: (Int, Int)) {
        self.id = id
        self.latency = latency
        ends = (from, to)
        self.lives = lives
    }

    var peerLink: PeerLink { PeerLink(rawValue: id) }

    func other(than node: Int) -> Int { ends.0 == node ? ends.1 : ends.0 }

    func isOpen(at node: Int) -> Bool { ends.0 == node ? isOpen.0 : isOpen.1 }
}

/// What travels over a link.
enum Parcel {
    case frame(SharedFrame)
    /// The link's end as its other side notices it; orderly when somebody closed it.
    case end(isOrderly: Bool)
}

/// A frame on its way, decoded once for all who receive it.
final class SharedFrame {
    let type: FrameType
    let body: [UInt8]
    private var prepared: PreparedFrame?
    /// The plain entry that it pushes and its hops, looked up once for all receivers.
    private(set) lazy var pushed = pushedEntry

    init(_ type: FrameType, _ body: [UInt8]) {
        self.type = type
        self.body = body
    }

    /// The frame as a receiver that knows what `isKnown` says gets it prepared.
    func prepared(
        by verifier: RunVerifier, among common: CommonFrames, isKnown: (CID) -> Bool
    ) -> PreparedFrame {
        if let prepared { return prepared.repeated(where: isKnown) }
        let made = PreparedFrame(
            type: type, body: body, isKnown: { _ in false }, knownMember: { common.members[$0] },
            verifier: verifier)
        common.keep(made)
        prepared = made
        return made.repeated(where: isKnown)
    }

    /// What a trace calls it: its type, size and a short digest.
    var label: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\(type) \(body.count) \(String(hash, radix: 36))"
    }
}
