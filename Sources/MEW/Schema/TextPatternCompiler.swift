/// Reads a regular expression into the steps of a ``TextPattern``.
struct TextPatternCompiler {
    private static let nestingMax = 32

    private indirect enum Node {
        case empty
        case set(ScalarSet)
        case assertion(TextPattern.Assertion)
        case sequence([Node])
        case choice([Node])
        case repeated(Node, Int, Int?)
    }

    private let scalars: [Unicode.Scalar]
    private var offset = 0
    private var depth = 0
    private var steps: [TextPattern.Step] = []

    init(_ pattern: String) throws(TextPatternFault) {
        scalars = Array(pattern.unicodeScalars.prefix(TextPattern.lengthMax + 1))
        if scalars.count > TextPattern.lengthMax {
            throw TextPatternFault("a pattern has at most \(TextPattern.lengthMax) characters")
        }
    }

    mutating func compile() throws(TextPatternFault) -> [TextPattern.Step] {
        let node = try choice()
        if offset < scalars.count { throw TextPatternFault("a ) closes nothing") }
        try emit(node)
        try append(.end)
        return steps
    }

    // MARK: Reading

    private var peek: Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        offset += 1
        return true
    }

    private mutating func choice() throws(TextPatternFault) -> Node {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.nestingMax { throw TextPatternFault("groups nest at most \(Self.nestingMax) deep") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(TextPatternFault) -> Node {
        var parts: [Node] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            parts.append(try quantified(try atom()))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom() throws(TextPatternFault) -> Node {
        guard let scalar = peek else { return .empty }
        offset += 1
        switch scalar {
        case ".": return .set(.notNewline)
        case "^": return .assertion(.start)
        case "$": return .assertion(.finish)
        case "(": return try group()
        case "[": return .set(try scalarClass())
        case "\\": return try escape()
        case "*", "+", "?": throw TextPatternFault("\(scalar) repeats nothing")
        default: return .set(.one(scalar))
        }
    }

    private mutating func group() throws(TextPatternFault) -> Node {
        if take("?") {
            if take(":") {
                // A group that only groups.
            } else if take("P") || peek == "<" {
                guard take("<"), let first = peek, first != "=", first != "!" else {
                    throw TextPatternFault("looking around is not supported")
                }
                while let scalar = peek, scalar != ">" {
                    guard ScalarSet.word.contains(scalar) else {
                        throw TextPatternFault("a group's name ends with >")
                    }
                    offset += 1
                }
                guard take(">") else { throw TextPatternFault("a group's name ends with >") }
            } else if peek == "=" || peek == "!" {
                throw TextPatternFault("looking around is not supported")
            } else {
                throw TextPatternFault("options inside a pattern are not supported")
            }
        }
        let inside = try choice()
        guard take(")") else { throw TextPatternFault("a group is not closed") }
        return inside
    }

    private mutating func quantified(_ node: Node) throws(TextPatternFault) -> Node {
        var bounds: (Int, Int?)?
        if take("*") {
            bounds = (0, nil)
        } else if take("+") {
            bounds = (1, nil)
        } else if take("?") {
            bounds = (0, 1)
        } else if peek == "{" {
            bounds = try counts()
        }
        guard let bounds else { return node }
        if take("+") { throw TextPatternFault("possessive quantifiers are not supported") }
        // Whether few or many are tried first does not matter to whether the whole fits.
        _ = take("?")
        if let next = peek, next == "*" || next == "+" || next == "?" || next == "{" {
            throw TextPatternFault("a quantifier follows another")
        }
        if case .assertion = node { throw TextPatternFault("a place cannot be repeated") }
        return .repeated(node, bounds.0, bounds.1)
    }

    private mutating func counts() throws(TextPatternFault) -> (Int, Int?) {
        offset += 1
        guard let least = number() else {
            throw TextPatternFault("{ wants a number; write \\{ for the character")
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else { throw TextPatternFault("a count is not closed with }") }
        if let most, most < least { throw TextPatternFault("{\(least),\(most)} counts down") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek, ScalarSet.digit.contains(scalar) {
            offset += 1
            // Whatever is beyond the limit of steps may as well be a little beyond it.
            value = min((value ?? 0) * 10 + Int(scalar.value) - 0x30, TextPattern.stepCountMax + 1)
        }
        return value
    }

    private mutating func escape() throws(TextPatternFault) -> Node {
        if take("b") { return .assertion(.wordBoundary) }
        if take("B") { return .assertion(.noWordBoundary) }
        if take("A") { return .assertion(.start) }
        if take("z") || take("Z") { return .assertion(.finish) }
        return .set(try escapedSet())
    }

    private mutating func escapedSet() throws(TextPatternFault) -> ScalarSet {
        guard let scalar = peek else { throw TextPatternFault("a \\ ends the pattern") }
        offset += 1
        switch scalar {
        case "d": return .digit
        case "D": return ScalarSet.digit.negated()
        case "w": return .word
        case "W": return ScalarSet.word.negated()
        case "s": return .space
        case "S": return ScalarSet.space.negated()
        case "n": return .one("\n")
        case "r": return .one("\r")
        case "t": return .one("\t")
        case "f": return .one("\u{0C}")
        case "v": return .one("\u{0B}")
        case "x": return .one(try hexadecimal(2))
        case "u": return .one(try hexadecimal(4))
        default:
            if ScalarSet.digit.contains(scalar) {
                throw TextPatternFault("references back are not supported")
            }
            if ScalarSet.word.contains(scalar) { throw TextPatternFault("\\\(scalar) means nothing") }
            return .one(scalar)
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(TextPatternFault) -> Unicode.Scalar {
        var value: UInt32 = 0
        var digits = 0
        let isBraced = take("{")
        while let scalar = peek, digits < (isBraced ? 6 : count), let digit = Character(scalar).hexDigitValue
        {
            value = value << 4 | UInt32(digit)
            digits += 1
            offset += 1
        }
        let isClosed = isBraced ? take("}") : digits == count
        guard isClosed, digits > 0, let scalar = Unicode.Scalar(value) else {
            throw TextPatternFault("an escaped number names no character")
        }
        return scalar
    }

    private mutating func scalarClass() throws(TextPatternFault) -> ScalarSet {
        var ranges: [ClosedRange<UInt32>] = []
        let isNegated = take("^")
        var isFirst = true
        while true {
            guard let scalar = peek else { throw TextPatternFault("a [ is not closed") }
            if scalar == "]", !isFirst { break }
            isFirst = false
            let low = try member()
            guard peek == "-", offset + 1 < scalars.count, scalars[offset + 1] != "]" else {
                ranges += low.members
                continue
            }
            offset += 1
            let high = try member()
            guard let first = low.only, let last = high.only, first <= last else {
                throw TextPatternFault("a range in [ ] goes from a character to a later one")
            }
            ranges.append(first...last)
        }
        offset += 1
        let set = ScalarSet(ranges)
        return isNegated ? set.negated() : set
    }

    private mutating func member() throws(TextPatternFault) -> ScalarSet {
        guard let scalar = peek else { throw TextPatternFault("a [ is not closed") }
        offset += 1
        if scalar == "\\" { return try escapedSet() }
        if scalar == "[" { throw TextPatternFault("a [ inside [ ] is written \\[") }
        return .one(scalar)
    }

    // MARK: Writing steps

    private mutating func append(_ step: TextPattern.Step) throws(TextPatternFault) {
        guard steps.count < TextPattern.stepCountMax else {
            throw TextPatternFault("written out, the pattern has more than \(TextPattern.stepCountMax) steps")
        }
        steps.append(step)
    }

    private mutating func emit(_ node: Node) throws(TextPatternFault) {
        switch node {
        case .empty: break
        case .set(let set): try append(.scalar(set))
        case .assertion(let assertion): try append(.assertion(assertion))
        case .sequence(let parts): for part in parts { try emit(part) }
        case .choice(let branches):
            var exits: [Int] = []
            for branch in branches.dropLast() {
                let split = steps.count
                try append(.split(split + 1, 0))
                try emit(branch)
                exits.append(steps.count)
                try append(.jump(0))
                steps[split] = .split(split + 1, steps.count)
            }
            try emit(branches[branches.count - 1])
            for exit in exits { steps[exit] = .jump(steps.count) }
        case .repeated(let inside, let least, let most):
            try emitRepeated(inside, least, most)
        }
    }

    private mutating func emitRepeated(
        _ inside: Node, _ least: Int, _ most: Int?
    ) throws(TextPatternFault) {
        for _ in 0..<least {
            let before = steps.count
            try emit(inside)
            // Nothing, however often, is nothing.
            if steps.count == before { return }
        }
        guard let most else {
            let split = steps.count
            try append(.split(split + 1, 0))
            try emit(inside)
            try append(.jump(split))
            steps[split] = .split(split + 1, steps.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            let split = steps.count
            splits.append(split)
            try append(.split(split + 1, 0))
            try emit(inside)
        }
        for split in splits { steps[split] = .split(split + 1, steps.count) }
    }
}
