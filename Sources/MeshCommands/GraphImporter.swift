internal import ControlClient
internal import MeshAPI

/// Sends the records of one file in batches, each one transaction, and finds the lines that are at fault.
///
/// It performs no I/O itself: `send` runs a script, `committed` keeps how far it has come, `fault` tells.
struct GraphImporter {
    struct Settings {
        var batchCount = 1000
        /// A batch is cut when its values have this many bytes, or its statements so many: a script is bounded.
        var batchByteCount = 8 << 20
        var sourceByteCount = 768 << 10
        var faultCountMax = 20
        /// Whether a key that is taken is no fault.
        var skipsExisting = false
        var allowsParallel = false
    }

    let settings: Settings
    let send: (GraphRequest) throws -> GraphResponse
    let committed: (ImportProgress, _ fraction: Double) throws -> Void
    let fault: (_ line: Int, _ message: String) -> Void
    /// Called once when a record without an id comes.
    let warnUnnamed: () -> Void

    private(set) var progress: ImportProgress
    private(set) var faultCount = 0
    private var skips: Bool
    private var hasWarned = false

    /// Prepares to go on behind the line that `progress` names.
    init(
        _ settings: Settings, from progress: ImportProgress,
        send: @escaping (GraphRequest) throws -> GraphResponse,
        committed: @escaping (ImportProgress, Double) throws -> Void,
        fault: @escaping (Int, String) -> Void, warnUnnamed: @escaping () -> Void
    ) {
        self.settings = settings
        self.progress = progress
        self.send = send
        self.committed = committed
        self.fault = fault
        self.warnUnnamed = warnUnnamed
        skips = settings.skipsExisting
    }

    /// Imports everything behind the line that ``progress`` names; false when there were too many faults.
    ///
    /// What was committed stays in either case. With `isResumed` the first batch may have been committed by an
    /// import that was cut off. Whatever `send` throws but a refusal of the statements ends it.
    mutating func run(_ reader: inout GraphRecordReader, isResumed: Bool) throws -> Bool {
        skips = settings.skipsExisting || isResumed
        var batch: [GraphRecord] = []
        var byteCount = 0
        var sourceByteCount = 0
        var last = progress.line
        while let item = reader.next() {
            switch item {
            case .record(let record):
                guard record.line > progress.line else { continue }
                if !record.isRepeatable, !hasWarned {
                    hasWarned = true
                    warnUnnamed()
                }
                let sourceBytes = record.statement(
                    number: batch.count, allowsParallel: settings.allowsParallel
                ).utf8.count
                if sourceByteCount + sourceBytes > settings.sourceByteCount {
                    guard try flush(&batch, upTo: last, reader.fraction) else { return false }
                    byteCount = 0
                    sourceByteCount = 0
                }
                sourceByteCount += sourceBytes
                last = record.line
                batch.append(record)
                byteCount += record.attributes.reduce(64) { $0 + $1.value.weight + $1.name.utf8.count }
            case .fault(let line, let message):
                guard line > progress.line else { continue }
                last = line
                refuse(line, message)
                if faultCount >= settings.faultCountMax { return false }
            }
            if batch.count >= settings.batchCount || byteCount >= settings.batchByteCount {
                guard try flush(&batch, upTo: last, reader.fraction) else { return false }
                byteCount = 0
                sourceByteCount = 0
            }
        }
        return try flush(&batch, upTo: last, 1)
    }

    private mutating func refuse(_ line: Int, _ message: String) {
        faultCount += 1
        progress.counts.refused += 1
        fault(line, message)
    }

    private mutating func flush(
        _ batch: inout [GraphRecord], upTo line: Int, _ fraction: Double
    ) throws -> Bool {
        guard try commit(batch) else { return false }
        batch = []
        progress.line = line
        skips = settings.skipsExisting
        try committed(progress, fraction)
        return true
    }

    /// Commits what is good of a batch and tells the rest; false when that were too many.
    private mutating func commit(_ records: [GraphRecord]) throws -> Bool {
        var left = records
        var hasLooked = false
        while !left.isEmpty {
            do {
                let request = GraphRecord.request(left, allowsParallel: settings.allowsParallel)
                count(left, try send(request).results)
                return true
            } catch let refusal as ControlRefusal where refusal.status == 422 {
                if refusal.error.code == "E3011", skips, !hasLooked {
                    // Most of an interrupted batch is there: one look instead of a failure for each.
                    hasLooked = true
                    left = try missing(left)
                    continue
                }
                let found = Self.faults(refusal.error, in: left)
                if !found.isEmpty {
                    for (_, line, message) in found { refuse(line, message) }
                    let places = Set(found.map(\.place))
                    left = left.indices.filter { !places.contains($0) }.map { left[$0] }
                } else if left.count == 1 {
                    refuse(left.removeFirst().line, Self.sentence(refusal.error))
                } else {
                    // Nothing says which it was.
                    let half = left.count / 2
                    guard try commit(Array(left[..<half])) else { return false }
                    left.removeSubrange(..<half)
                }
                if faultCount >= settings.faultCountMax { return false }
            }
        }
        return true
    }

    /// The records whose keys are free.
    private mutating func missing(_ records: [GraphRecord]) throws -> [GraphRecord] {
        let keyed = records.filter { $0.reference != nil }
        let source = keyed.compactMap(\.reference).map { "INSPECT #\(JSONTree.quoted($0));\n" }.joined()
        let results = try send(GraphRequest(source: source, name: "import.mew")).results
        guard results.count == keyed.count else { return records }
        let taken = Set(zip(keyed, results).filter { $0.1.isFound }.map(\.0.line))
        progress.counts.existing += taken.count
        return records.filter { !taken.contains($0.line) }
    }

    /// Tallies a commit: the results between those of BEGIN and COMMIT are the records'.
    private mutating func count(_ records: [GraphRecord], _ results: [GraphResultView]) {
        for (index, record) in records.enumerated() {
            switch record.shape {
            case .node: progress.counts.spawned += 1
            case .edge:
                let isNew = results.indices.contains(index + 1) ? results[index + 1].isNew : true
                if isNew { progress.counts.linked += 1 } else { progress.counts.existing += 1 }
            }
        }
    }

    /// The records that diagnostics point at, each with the first that does.
    private static func faults(
        _ error: APIErrorDetail, in records: [GraphRecord]
    ) -> [(place: Int, line: Int, message: String)] {
        var seen: Set<Int> = []
        return (error.details ?? []).compactMap { detail in
            guard let place = detail.line.map({ $0 - 2 }), records.indices.contains(place),
                seen.insert(place).inserted
            else { return nil }
            return (place, records[place].line, sentence(detail.code, detail.message, detail.hint))
        }
    }

    private static func sentence(_ error: APIErrorDetail) -> String {
        let first = error.details?.first
        return sentence(
            first?.code ?? error.code, first?.message ?? error.message, first?.hint ?? error.hint)
    }

    private static func sentence(_ code: String, _ message: String, _ hint: String?) -> String {
        "\(code): \(message)" + (hint.map { " (\($0))" } ?? "")
    }
}

extension GraphResultView {
    /// The first cell under a column, or what the summary says.
    private func fact(_ name: String) -> JSONValue? {
        if let column = columns.firstIndex(of: name), let row = rows.first, row.indices.contains(column) {
            return row[column]
        }
        return summary[name]
    }

    /// Of INSPECT: whether there is such an entity.
    var isFound: Bool { fact("found") == true }

    /// Of LINK IF NOT EXISTS: whether there was none before.
    var isNew: Bool { fact("created") != false }
}

extension JSONValue {
    /// About how many bytes it takes in a request.
    fileprivate var weight: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .array(let elements): elements.reduce(2) { $0 + $1.weight }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + $1.value.weight }
        default: 8
        }
    }
}
