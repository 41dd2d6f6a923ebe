internal import MeshRuntime

/// Why a job is over before its passes are: it reached a limit, or cannot go on.
struct RunEnd: Error {
    let outcome: RunOutcome

    init(_ outcomeClass: OutcomeClass, trap: String? = nil) {
        outcome = RunOutcome(outcomeClass, trap: trap)
    }

    init(_ outcome: RunOutcome) {
        self.outcome = outcome
    }
}

/// What a job has used of its limits.
///
/// Everything is asked for before it is done or allocated; what is refused is not counted.
struct JobAccount: Sendable {
    let limits: RunLimits
    private(set) var fuel: UInt64 = 0
    /// Bytes that stay until the job ends.
    private(set) var held: UInt64 = 0
    private(set) var peak: UInt64 = 0
    /// Bytes of all outputs.
    private(set) var written: UInt64 = 0
    private(set) var inputBytes: UInt64 = 0
    /// Sources read, modules called and actions done.
    private(set) var hostCalls: UInt64 = 0

    /// The most bytes of all outputs, whatever a job may write: they are made in the node's memory, and nobody could
    /// read a longer capture.
    static let outputByteCountMax = UInt64(CaptureBundle.bytesMax)

    init(_ limits: RunLimits) {
        self.limits = limits
    }

    var fuelLeft: UInt64 { limits.fuel - fuel }
    var memoryLeft: UInt64 { limits.memoryBytes - held }
    var outputRoom: UInt64 { min(limits.outputBytes, Self.outputByteCountMax) - written }

    mutating func charge(_ units: Int = 1, at price: UInt64) throws(RunEnd) {
        let (amount, overflow) = UInt64(units).multipliedReportingOverflow(by: price)
        guard !overflow, amount <= fuelLeft else { throw RunEnd(.fuel) }
        fuel += amount
    }

    mutating func hold(_ units: Int = 1, at size: UInt64) throws(RunEnd) {
        try reserve(units, at: size)
        held += UInt64(units) * size
    }

    /// Notes that so much is needed for a while.
    mutating func reserve(_ units: Int = 1, at size: UInt64) throws(RunEnd) {
        let (bytes, overflow) = UInt64(units).multipliedReportingOverflow(by: size)
        guard !overflow, bytes <= memoryLeft else { throw RunEnd(.memory) }
        peak = max(peak, held + bytes)
    }

    /// Makes room for so many bytes of output.
    mutating func write(_ count: Int) throws(RunEnd) {
        try charge(count, at: FlowFuel.perOutputByte)
        guard UInt64(count) <= outputRoom else { throw RunEnd(.output) }
        written += UInt64(count)
    }

    mutating func readInput(_ count: Int) throws(RunEnd) {
        try charge(count, at: FlowFuel.perInputByte)
        try hold(count, at: FlowMemory.perInputByte)
        inputBytes += UInt64(count)
    }

    mutating func noteCall() {
        hostCalls += 1
    }

    /// What the job is charged in the end: all of its fuel unless it ended by itself.
    func metering(for outcome: RunOutcome) -> Metering {
        let isExact = outcome.outcomeClass == .ok || outcome.outcomeClass == .exit
        let fuel = isExact ? fuel : outcome.outcomeClass.isNodeFault ? 0 : limits.fuel
        return Metering(
            fuel: fuel, memoryPeakBytes: peak, hostCalls: hostCalls, ioBytes: inputBytes + written)
    }
}
