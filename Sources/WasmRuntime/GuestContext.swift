internal import CWasmtime
internal import MeshCore
internal import MeshRuntime

/// What one program sees of the world while it runs: its inputs, its outputs, its clock and its chance.
///
/// One context serves a worker for its whole life and is reset before every job. The pointers into the
/// job's frame are valid from ``reset(_:body:)`` until the frame is consumed, which is after the job.
@safe
final class GuestContext {
    /// How far the virtual clock moves on with every reading, in nanoseconds.
    static let clockStep: UInt64 = 1000
    static let descriptorsMax = 1024
    static let vectorsMax: UInt32 = 1024

    struct Descriptor {
        enum Kind { case closed, input, output, errors, directory, file }

        var kind: Kind
        var file = 0
        var offset: UInt64 = 0
    }

    @safe
    struct File {
        let name: UnsafeRawBufferPointer
        let content: UnsafeRawBufferPointer
    }

    let library: WasmtimeLibrary
    let output = ByteBuffer(capacity: 64 << 10)
    let errors = ByteBuffer(capacity: 4 << 10)

    var descriptors: [Descriptor] = []
    private(set) var files: [File] = []
    private(set) var input = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var arguments = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var argumentCount: UInt32 = 0
    private(set) var environment = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var environmentCount: UInt32 = 0
    private var outputMax: UInt64 = 0
    private var clockStart: UInt64 = 0
    private var clockElapsed: UInt64 = 0
    private var random: (UInt64, UInt64, UInt64, UInt64) = (1, 0, 0, 0)

    private var grant: (resource: UnsafeRawBufferPointer, amount: UInt64, submissionCountMax: UInt32)?

    /// What the job's module declares as a contract.
    var contract: ContractSection?
    /// The host of the program's contract, once the program has called it.
    var host: ContractHost?
    /// Why a call of the contract's host ended the run.
    var hostTrap: HostTrap?
    /// The memory of the job's instance, once it exists.
    var memory: wasmtime_memory_t?
    var hostCalls: UInt64 = 0
    var ioBytes: UInt64 = 0
    /// Set by `proc_exit`, which then traps out of the program.
    var exitCode: Int32?
    /// Set when a write would pass the limit; the call then traps out of the program.
    var outputExceeded = false

    init(_ library: WasmtimeLibrary) {
        self.library = library
    }

    /// Takes a job's inputs out of its frame.
    ///
    /// - Parameters:
    ///   - job: The frame's header.
    ///   - body: What follows the entry's name in the frame. The frame comes from this very
    ///     program's parent process; a length that does not fit is our own bug.
    func reset(_ job: mesh_job_frame, body: UnsafeRawBufferPointer) {
        var rest = unsafe body
        func take(_ count: UInt32) -> UnsafeRawBufferPointer {
            let taken = unsafe UnsafeRawBufferPointer(rebasing: rest[..<Int(count)])
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...])
            return unsafe taken
        }
        unsafe arguments = take(job.argument_bytes)
        argumentCount = job.argument_count
        unsafe environment = take(job.environment_bytes)
        environmentCount = job.environment_count
        if !files.isEmpty { files.removeAll(keepingCapacity: true) }
        for _ in 0..<job.file_count {
            let lengths = unsafe take(8)
            let nameCount = unsafe lengths.loadUnaligned(as: UInt32.self)
            let contentCount = unsafe lengths.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            unsafe files.append(File(name: take(nameCount), content: take(contentCount)))
        }
        unsafe input = take(job.stdin_bytes)
        unsafe grant =
            job.has_grant == 0
            ? nil : (take(job.resource_bytes), job.grant_amount, job.submission_count_max)
        descriptors.removeAll(keepingCapacity: true)
        descriptors.append(Descriptor(kind: .input))
        descriptors.append(Descriptor(kind: .output))
        descriptors.append(Descriptor(kind: .errors))
        descriptors.append(Descriptor(kind: .directory))
        output.removeAll()
        errors.removeAll()
        outputMax = job.output_bytes
        clockStart =
            UInt64(max(0, job.clock_start_milliseconds)).multipliedReportingOverflow(by: 1_000_000)
            .partialValue
        clockElapsed = 0
        seedRandom(job.seed)
        memory = nil
        if contract != nil { contract = nil }
        if host != nil { host = nil }
        hostTrap = nil
        hostCalls = 0
        ioBytes = 0
        exitCode = nil
        outputExceeded = false
    }

    /// The host for a program that calls it for the first time.
    func makeHost() -> ContractHost {
        let granted: RunGrant? =
            if let grant = unsafe grant {
                RunGrant(
                    resource: unsafe String(decoding: grant.resource, as: UTF8.self),
                    amount: unsafe grant.amount, submissionCountMax: unsafe grant.submissionCountMax)
            } else { nil }
        return ContractHost(grant: granted, section: contract)
    }

    /// How many bytes may still be written to stdout and stderr together.
    var outputRoom: Int {
        Int(clamping: outputMax - min(outputMax, UInt64(output.count + errors.count)))
    }

    /// Appends to stdout or stderr.
    ///
    /// - Returns: `false` when the limit is passed; what fits is kept.
    func write(_ bytes: UnsafeRawBufferPointer, to target: ByteBuffer) -> Bool {
        let room = UInt64(outputRoom)
        guard UInt64(bytes.count) <= room else {
            unsafe target.append(UnsafeRawBufferPointer(rebasing: bytes[..<Int(room)]))
            ioBytes += room
            outputExceeded = true
            return false
        }
        unsafe target.append(bytes)
        ioBytes += UInt64(bytes.count)
        return true
    }

    /// Nanoseconds since the job's start, moved on by one step.
    func readClock() -> UInt64 {
        defer { advanceClock(by: Self.clockStep) }
        return clockElapsed
    }

    /// Nanoseconds since 1970, moved on by one step.
    func readWallClock() -> UInt64 { clockStart &+ readClock() }

    /// The instant `nanoseconds` of the wall clock, as time since the start.
    func elapsed(atWall nanoseconds: UInt64) -> UInt64 {
        nanoseconds > clockStart ? nanoseconds - clockStart : 0
    }

    var elapsed: UInt64 { clockElapsed }

    func advanceClock(by nanoseconds: UInt64) {
        let (sum, overflow) = clockElapsed.addingReportingOverflow(nanoseconds)
        clockElapsed = overflow ? .max : sum
    }

    /// Spreads a seed over the generator's state, so that a poor seed still makes a good sequence.
    private func seedRandom(_ seed: (UInt64, UInt64, UInt64, UInt64)) {
        var first = SeededGenerator(seed: seed.0)
        random.0 = first.next()
        var second = SeededGenerator(seed: seed.1 ^ random.0)
        random.1 = second.next()
        var third = SeededGenerator(seed: seed.2 ^ random.1)
        random.2 = third.next()
        var fourth = SeededGenerator(seed: seed.3 ^ random.2)
        random.3 = fourth.next()
        if random == (0, 0, 0, 0) { random.0 = 1 }
    }

    /// The next word of xoshiro256**.
    func nextRandom() -> UInt64 {
        func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
        let result = rotated(random.1 &* 5, 7) &* 9
        let shifted = random.1 << 17
        random.2 ^= random.0
        random.3 ^= random.1
        random.1 ^= random.2
        random.0 ^= random.3
        random.2 ^= shifted
        random.3 = rotated(random.3, 45)
        return result
    }
}
