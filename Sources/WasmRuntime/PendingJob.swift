internal import IPLD
internal import MeshRuntime
internal import Synchronization

/// A module's bytes while jobs need them.
final class ModuleImage: Sendable {
    let cid: CID
    let code: [UInt8]
    /// Set when a compilation ran away; no worker is lost to the same module twice.
    let ranAway = Atomic(false)

    init(cid: CID, code: [UInt8]) {
        self.cid = cid
        self.code = code
    }
}

/// Jobs that were submitted together; one job is a batch of one.
final class JobBatch: Sendable {
    let requests: [RunRequest]
    let completion: @Sendable (Int, RunResult) -> Void

    init(_ requests: [RunRequest], _ completion: @escaping @Sendable (Int, RunResult) -> Void) {
        self.requests = requests
        self.completion = completion
    }
}

/// A question about a module that only the engine can answer.
final class ModuleCheck: Sendable {
    let entry: String?
    let memoryBytes: UInt64
    let completion: @Sendable (ModuleRefusal?) -> Void

    init(entry: String?, memoryBytes: UInt64, completion: @escaping @Sendable (ModuleRefusal?) -> Void) {
        self.entry = entry
        self.memoryBytes = memoryBytes
        self.completion = completion
    }
}

/// One piece of work that waits for a worker or is with one.
struct PendingJob: Sendable {
    enum Work: Sendable {
        case run(JobBatch, Int)
        case check(ModuleCheck)
    }

    let work: Work
    let image: ModuleImage
    /// How often it was given back because its worker died without having been at any job.
    var returns: UInt8 = 0

    /// Ends the work because no worker could finish it.
    func fail(_ outcome: OutcomeClass, _ reason: String) {
        switch work {
        case .run(let batch, let index):
            batch.completion(
                index, RunResult(outcome: RunOutcome(outcome, trap: reason), metering: Metering()))
        case .check(let check): check.completion(ModuleRefusal(.compilation, reason, offset: 0))
        }
    }
}

/// A queue in order of arrival that also takes work back at its front.
struct WorkQueue<Element> {
    private var returned: [Element] = []
    private var waiting: [Element?] = []
    private var head = 0

    var count: Int { returned.count + waiting.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { waiting.append(element) }

    /// Puts `elements`, in their order, before everything else.
    mutating func prepend(_ elements: [Element]) { returned.append(contentsOf: elements.reversed()) }

    mutating func popFirst() -> Element? {
        if let element = returned.popLast() { return element }
        guard head < waiting.count else { return nil }
        let element = waiting[head]
        waiting[head] = nil
        head += 1
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: waiting.count <= 65_536)
            head = 0
        } else if head >= 4096, head * 2 > waiting.count {
            waiting.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll() -> [Element] {
        var all: [Element] = []
        while let element = popFirst() { all.append(element) }
        return all
    }
}
