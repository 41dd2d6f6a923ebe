/// A regular expression whose work is bounded by its length times the text's.
///
/// Patterns come with ontologies, which come from others: a matcher that tries one way after the other could be
/// made to try for years. This one follows all ways at once. It has literals, `.`, classes, `\d \w \s \b` and
/// their opposites, groups, `|`, `^ $`, and the quantifiers `* + ? {n} {n,} {n,m}`; what only trying can decide
/// (references back, looking around, possessive quantifiers) is refused. It reads Unicode scalars; `\w` and
/// `\d` are ASCII.
public struct TextPattern: Sendable {
    /// How long a pattern may be, in scalars.
    public static let lengthMax = 1024
    /// How many steps a pattern may come to when its repetitions are written out.
    public static let stepCountMax = 2048
    /// How long a text may be that is matched, in characters.
    public static let textLengthMax = 4096

    /// One place of the machine that the pattern is made into.
    enum Step: Sendable {
        case scalar(ScalarSet)
        case assertion(Assertion)
        /// Both ways at once.
        case split(Int, Int)
        case jump(Int)
        case end
    }

    enum Assertion: Sendable {
        case start, finish, wordBoundary, noWordBoundary
    }

    private let steps: [Step]

    /// How much room and time the pattern takes: each character costs at most as many steps.
    public var stepCount: Int { steps.count }

    /// Reads a pattern.
    ///
    /// - Throws: ``TextPatternFault``, which says what is wrong with it.
    public init(_ pattern: String) throws(TextPatternFault) {
        var compiler = try TextPatternCompiler(pattern)
        steps = try compiler.compile()
    }

    /// Whether the pattern describes the whole of `text`.
    public func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var current = Places(count: steps.count)
        var next = Places(count: steps.count)
        add(0, to: &current, at: 0, in: scalars)
        for (offset, scalar) in scalars.enumerated() {
            if current.list.isEmpty { return false }
            next.removeAll()
            for place in current.list {
                if case .scalar(let set) = steps[place], set.contains(scalar) {
                    add(place + 1, to: &next, at: offset + 1, in: scalars)
                }
            }
            swap(&current, &next)
        }
        return current.list.contains { if case .end = steps[$0] { true } else { false } }
    }

    /// The places that the machine is at, each once.
    private struct Places {
        var list: [Int] = []
        var marks: [Bool]

        init(count: Int) { marks = Array(repeating: false, count: count) }

        mutating func removeAll() {
            list.removeAll(keepingCapacity: true)
            for index in marks.indices { marks[index] = false }
        }
    }

    /// Adds a place and all that it leads to without reading anything.
    private func add(_ place: Int, to places: inout Places, at offset: Int, in scalars: [Unicode.Scalar]) {
        var waiting = [place]
        while let place = waiting.popLast() {
            if places.marks[place] { continue }
            places.marks[place] = true
            switch steps[place] {
            case .scalar, .end: places.list.append(place)
            case .jump(let target): waiting.append(target)
            case .split(let first, let second):
                waiting.append(second)
                waiting.append(first)
            case .assertion(let assertion):
                if holds(assertion, at: offset, in: scalars) { waiting.append(place + 1) }
            }
        }
    }

    private func holds(_ assertion: Assertion, at offset: Int, in scalars: [Unicode.Scalar]) -> Bool {
        switch assertion {
        case .start: return offset == 0
        case .finish: return offset == scalars.count
        case .wordBoundary, .noWordBoundary:
            let before = offset > 0 && ScalarSet.word.contains(scalars[offset - 1])
            let after = offset < scalars.count && ScalarSet.word.contains(scalars[offset])
            return (before != after) == (assertion == .wordBoundary)
        }
    }
}

/// What is wrong with a pattern.
public struct TextPatternFault: Error, Sendable, Hashable {
    /// A sentence without a full stop.
    public let message: String

    init(_ message: String) { self.message = message }
}

/// A set of Unicode scalars.
struct ScalarSet: Sendable {
    /// Sorted, none touching the next.
    private(set) var ranges: [ClosedRange<UInt32>]
    private(set) var isNegated = false

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
                self.ranges[self.ranges.count - 1] =
                    last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar.value { low = middle + 1 } else { high = middle }
        }
        return (low < ranges.count && ranges[low].lowerBound <= scalar.value) != isNegated
    }

    /// What it holds, written without a negation.
    var members: [ClosedRange<UInt32>] {
        guard isNegated else { return ranges }
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 0x10_FFFF { result.append(next...0x10_FFFF) }
        return result
    }

    /// The scalar that alone is in the set; `nil` for any other set.
    var only: UInt32? {
        guard !isNegated, ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }

    func negated() -> ScalarSet {
        var other = self
        other.isNegated.toggle()
        return other
    }

    static func one(_ scalar: Unicode.Scalar) -> ScalarSet { ScalarSet([scalar.value...scalar.value]) }
    static let digit = ScalarSet([0x30...0x39])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = ScalarSet([0x09...0x0D, 0x20...0x20, 0x85...0x85, 0xA0...0xA0])
    /// What `.` stands for: everything but the ends of lines.
    static let notNewline = ScalarSet([0x0A...0x0A, 0x0D...0x0D]).negated()
}
