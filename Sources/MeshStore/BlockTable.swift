internal import IPLD
internal import LMDB
internal import MeshCore
internal import Synchronization

/// A CID as a dictionary's key: hashing one word of a digest is as good as hashing all of it.
struct BlockKey: Hashable, Sendable {
    let cid: CID

    init(_ cid: CID) { self.cid = cid }

    static func == (a: Self, b: Self) -> Bool {
        a.cid.digest.prefix == b.cid.digest.prefix && a.cid == b.cid
    }

    func hash(into hasher: inout Hasher) { hasher.combine(cid.digest.prefix) }
}

/// The places of blocks that are in the log but not in the index yet.
///
/// Keys that are hashes would touch a page each, so commits do not write them to the index. They gather
/// here in a *generation*; a full one is sorted and merged behind the commits, a slice at a time, while
/// the next one fills. What is here is rebuilt from the log when the store is opened.
///
/// A place is published before its commit and withdrawn if that fails, so a snapshot finds the
/// places of all its blocks; it may also find newer ones, whose step it then does not find in its log.
final class BlockTable: Sendable {
    /// Some blocks' places; those of a full generation no longer change.
    final class Generation: Sendable {
        private let places: Mutex<[BlockKey: Place]>

        /// Has room for `capacity` places from the start, so that no commit pays for moving them all.
        init(capacity: Int) { places = Mutex(Dictionary(minimumCapacity: capacity)) }

        func place(of cid: CID) -> Place? { places.withLock { $0[BlockKey(cid)] } }
        var count: Int { places.withLock { $0.count } }
        var all: [BlockKey: Place] { places.withLock { $0 } }

        func insert(_ blocks: [Block], _ added: [Place]) {
            places.withLock { places in
                for (block, place) in zip(blocks, added) { places[BlockKey(block.cid)] = place }
            }
        }

        func insert(_ added: [(CID, Place)]) {
            places.withLock { places in
                for (cid, place) in added { places[BlockKey(cid)] = place }
            }
        }

        func remove(_ blocks: [Block]) {
            places.withLock { places in
                for block in blocks { places[BlockKey(block.cid)] = nil }
            }
        }
    }

    /// The generations at one moment, oldest first; the last is the one that fills.
    struct Snapshot {
        let generations: [Generation]
        /// Changes whenever a generation begins or is dropped.
        let version: UInt64

        func place(of cid: CID) -> Place? {
            for generation in generations.reversed() {
                if let place = generation.place(of: cid) { return place }
            }
            return nil
        }
    }

    /// A snapshot of the store, and the places that belong to it.
    struct Reading: ~Copyable {
        let places: Snapshot
        let transaction: ReadTransaction
    }

    private struct State {
        var generations: [Generation]
        var version: UInt64 = 0
    }

    private let state: Mutex<State>
    private let capacity: Int

    /// - Parameter generationCount: How many places a generation is expected to gather.
    init(generationCount: Int) {
        // A little more, for the commit that goes beyond.
        capacity = min(generationCount, 1 << 16) * 5 / 4
        state = Mutex(State(generations: [Generation(capacity: capacity)]))
    }

    var snapshot: Snapshot {
        state.withLock { Snapshot(generations: $0.generations, version: $0.version) }
    }

    /// Begins a snapshot of the store that surely knows the places of all its blocks.
    ///
    /// A generation that were dropped, or begun, between the two glances would be missing from one
    /// of them; this happens once in thousands of commits, and then the read begins again.
    func reading(_ environment: Environment) throws(LMDBError) -> Reading {
        while true {
            let before = snapshot
            let transaction = try environment.beginRead()
            if state.withLock({ $0.version }) == before.version {
                return Reading(places: before, transaction: transaction)
            }
        }
    }

    var count: Int { snapshot.generations.reduce(0) { $0 + $1.count } }

    /// The generation that fills; only the writer adds to it.
    var filling: Generation {
        state.withLock { state in
            if let last = state.generations.last { return last }
            let first = Generation(capacity: capacity)
            state.generations.append(first)
            return first
        }
    }

    /// Ends the generation that fills, begins another, and returns the ended one.
    func beginGeneration() -> Generation {
        let full = filling
        state.withLock { state in
            state.generations.append(Generation(capacity: capacity))
            state.version += 1
        }
        return full
    }

    /// Forgets a generation that the index holds.
    func drop(_ generation: Generation) {
        state.withLock { state in
            state.generations.removeAll { $0 === generation }
            state.version += 1
        }
    }
}

/// A full generation on its way into the index, in key order.
struct Merge {
    let generation: BlockTable.Generation
    /// Once all is merged, no place of this step or an earlier one is in memory only.
    let lastStep: UInt64
    private let entries: [(cid: CID, place: Place)]
    private var position = 0

    init(_ generation: BlockTable.Generation, lastStep: UInt64) {
        self.generation = generation
        self.lastStep = lastStep
        entries = generation.all.map { (cid: $0.key.cid, place: $0.value) }
            .sorted { $0.cid.digest == $1.cid.digest ? $0.cid < $1.cid : $0.cid.digest < $1.cid.digest }
    }

    /// The next entries; taking them is ``advance(by:)``, once they are durable.
    func slice(atMost count: Int) -> ArraySlice<(cid: CID, place: Place)> {
        entries[position...].prefix(max(count, 1))
    }

    mutating func advance(by count: Int) { position += count }

    /// Whether a slice of `count` is the last one.
    func isFinished(after count: Int) -> Bool { position + count >= entries.count }
}
