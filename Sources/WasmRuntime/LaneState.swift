internal import IPLD
internal import MeshCore
internal import MeshRuntime

/// What a pool knows about one of its workers; guarded by the pool's lock.
struct LaneState {
    struct InFlight {
        let sequence: UInt64
        /// `nil` once the work was given to another worker; its answer is then ignored.
        var job: PendingJob?
    }

    /// Modules that a worker keeps compiled.
    static let moduleSlots = 64
    static let windowMax = 512

    var process: WorkerProcess?
    var inFlight = WorkQueue<InFlight>()
    /// Frames that wait to be sent.
    var outgoing = ByteBuffer(capacity: 64 << 10)
    /// Whether somebody is sending what was taken from ``outgoing``.
    var isSending = false
    /// Whether the socket was full; the lane's thread then goes on sending.
    var isBlocked = false
    /// Whether the job at hand takes long, so that nothing more is put behind it.
    var isStalled = false
    /// Whether a module was sent of late, so that its compilation must be watched.
    var mustWatch = false
    var sequence: UInt64 = 0
    /// A moving average of what a job takes, in microseconds.
    var averageMicroseconds: Double = 1000
    private var slotOf: [CID: Int] = [:]
    private var moduleIn: [CID?] = []
    private var lastUse: [UInt64] = []
    private var lastModule: (cid: CID, slot: Int)?

    /// How many jobs may be with the worker: about four milliseconds' worth.
    var window: Int { min(Self.windowMax, max(1, Int(4000 / max(1, averageMicroseconds)))) }

    var canTake: Bool { process != nil && !isStalled && inFlight.count < window }

    /// Puts `job` behind what the worker has already.
    mutating func take(_ job: PendingJob) {
        sequence += 1
        let slot = slot(for: job.image)
        switch job.work {
        case .run(let batch, let index):
            JobEncoding.job(batch.requests[index], slot: slot, sequence, into: outgoing)
        case .check(let check): JobEncoding.check(check, slot: slot, sequence, into: outgoing)
        }
        inFlight.append(InFlight(sequence: sequence, job: job))
    }

    /// The slot that holds the module; sends the module if the worker lacks it, in place of the one that
    /// was used longest ago.
    private mutating func slot(for image: ModuleImage) -> Int {
        if let lastModule, lastModule.cid == image.cid { return lastModule.slot }
        let slot: Int
        if let known = slotOf[image.cid] {
            slot = known
        } else {
            if moduleIn.count < Self.moduleSlots {
                slot = moduleIn.count
                moduleIn.append(image.cid)
                lastUse.append(0)
            } else {
                slot = lastUse.indices.min { lastUse[$0] < lastUse[$1] } ?? 0
                if let evicted = moduleIn[slot] { slotOf[evicted] = nil }
                moduleIn[slot] = image.cid
            }
            slotOf[image.cid] = slot
            JobEncoding.module(image, slot: slot, sequence, into: outgoing)
            mustWatch = true
        }
        lastUse[slot] = sequence
        lastModule = (image.cid, slot)
        return slot
    }

    /// Forgets everything about a worker that is gone.
    mutating func reset(_ process: WorkerProcess?) {
        self.process = process
        outgoing.removeAll()
        isBlocked = false
        isStalled = false
        slotOf = [:]
        moduleIn = []
        lastUse = []
        lastModule = nil
    }
}
