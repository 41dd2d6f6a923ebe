public import JSON5

extension Scenario {
    /// Reads a scenario file.
    ///
    /// - Parameters:
    ///   - text: JSON5.
    ///   - name: What reports call it.
    /// - Throws: Every fault with its place; only the first one where the text is not JSON5.
    public init(text: String, name: String) throws(JSON5Error) {
        let tree = try JSON5Parser.file(text)
        let faults = FaultList()
        self.init()
        self.name = name
        source = text
        read(ObjectReader(tree, path: "", faults: faults))
        if faults.faults.isEmpty { validate(faults) }
        guard faults.faults.isEmpty else { throw JSON5Error(faults: faults.faults) }
    }

    private mutating func read(_ root: ObjectReader) {
        about = root.text("about")?.text ?? ""
        nodes = root.integer("nodes", in: 1...100_000) ?? nodes
        members = root.integer("members", in: 0...256) ?? min(members, nodes)
        threshold = root.integer("threshold", in: 1...255) ?? threshold
        degree = root.integer("degree", in: 0...64) ?? degree
        observers = root.integer("observers", in: 0...100_000) ?? observers
        memberCountMax = root.integer("member_count_max", in: 16...1_000_000)
        discovery = root.boolean("discovery", discovery)
        duration = root.duration("duration") ?? duration
        settle = root.duration("settle") ?? settle
        signatures = root.choice("signatures", signatures)
        sync = root.distribution("sync") ?? sync
        run = root.distribution("run") ?? run
        workload.end = duration * 3 / 4
        if let reader = root.optional("network") {
            network.latency = reader.distribution("latency") ?? network.latency
            network.jitter = reader.distribution("jitter") ?? network.jitter
            network.loss = reader.number("loss", in: 0...0.9) ?? network.loss
            network.frameLoss = reader.number("frame_loss", in: 0...1) ?? network.frameLoss
            network.treeLoss = reader.number("tree_loss", in: 0...1) ?? network.treeLoss
            network.bandwidth = reader.integer("bandwidth", in: 1_000...1_000_000_000)
            network.timeout = reader.duration("timeout") ?? network.timeout
            reader.finish()
        }
        if let reader = root.optional("workload") {
            workload.jobs = reader.integer("jobs", in: 0...100_000) ?? 0
            workload.entries = reader.integer("entries", in: 0...100_000) ?? 0
            workload.graph = reader.integer("graph", in: 0...100_000) ?? 0
            workload.children = reader.boolean("children", false)
            workload.cancels = reader.integer("cancels", in: 0...100_000) ?? 0
            workload.start = reader.duration("start") ?? workload.start
            workload.end = reader.duration("end") ?? workload.end
            workload.senders = reader.integer("senders", in: 1...100_000)
            workload.warmup = reader.integer("warmup", in: 0...100_000) ?? 0
            workload.bidWindow = reader.integer("bid_window_ms", in: 0...60_000) ?? workload.bidWindow
            workload.authors = reader.nodes("authors")
            reader.finish()
        }
        readFaults(root)
        for (path, value) in root.list("byzantine") {
            let reader = ObjectReader(value, path: path, faults: root.faults)
            var one = Misbehaviour(kind: reader.choice("kind", Behaviour.Kind.censor))
            one.nodes = reader.nodes("nodes")
            one.start = reader.duration("from") ?? one.start
            one.end = reader.duration("until") ?? one.end
            one.count = reader.integer("count", in: 1...1_000) ?? max(1, one.nodes.count)
            // One star stands for all nodes.
            one.targets =
                reader.texts("targets").map(\.text) == ["*"] ? Array(0..<nodes) : reader.nodes("targets")
            reader.finish()
            misbehaviours.append(one)
        }
        if let reader = root.optional("expect") {
            for (path, text, position) in reader.texts("violations") {
                if let checker = Checker(rawValue: text) {
                    expectation.violations.append(checker)
                } else {
                    reader.refuse(text, at: path, position, choices: Checker.allCases.map(\.rawValue))
                }
            }
            expectation.verified = reader.integer("verified", in: 0...100_000) ?? 0
            expectation.accepted = reader.integer("accepted", in: 0...100_000) ?? 0
            expectation.hops = reader.integer("hops", in: 1...255)
            expectation.redundancy = reader.number("redundancy", in: 0...1_000)
            expectation.falseDeaths = reader.integer("false_deaths", in: 0...1_000_000)
            expectation.delivery = reader.number("delivery", in: 0...1)
            expectation.missed = reader.integer("missed", in: 0...1_000_000)
            reader.finish()
        }
        root.finish()
    }

    private mutating func readFaults(_ root: ObjectReader) {
        for (path, value) in root.list("faults") {
            let reader = ObjectReader(value, path: path, faults: root.faults)
            defer { reader.finish() }
            if reader.has("draw") {
                let kinds = reader.texts("draw").compactMap { path, text, position -> Fault.Kind? in
                    if let kind = Fault.Kind(rawValue: text) { return kind }
                    reader.refuse(text, at: path, position, choices: Fault.Kind.allCases.map(\.rawValue))
                    return nil
                }
                let count = reader.integer("count", in: 1...10_000) ?? 1
                let shortest = reader.duration("shortest") ?? Duration.second
                let longest = max(shortest, reader.duration("longest") ?? 20 * Duration.second)
                let first = reader.duration("at") ?? 0
                let last = max(first, reader.duration("until") ?? duration)
                draws.append(
                    FaultDraw(
                        count: count...count, kinds: kinds, window: first...last, length: shortest...longest))
                continue
            }
            let kind = reader.choice("kind", Fault.Kind.crash)
            let start = reader.duration("at") ?? 0
            let span = reader.duration("for") ?? 0
            let side = reader.nodes("nodes")
            var others = reader.nodes("others")
            if kind.hasOthers, others.isEmpty { others = (0..<nodes).filter { !side.contains($0) } }
            let amount = reader.number("amount", in: -1_000_000...1_000_000) ?? 0
            if side.isEmpty, !kind.isGlobal {
                reader.faults.add(path, "needs nodes, such as [\"n03\"]", reader.position)
            }
            faults.append(
                Fault(kind, start: start, end: start + span, nodes: side, others: others, amount: amount))
        }
    }

    /// Notes what is well-formed and cannot be run.
    private func validate(_ faults: FaultList) {
        let mentioned =
            self.faults.flatMap { $0.nodes + $0.others } + misbehaviours.flatMap { $0.nodes + $0.targets }
            + workload.authors
        if let stranger = mentioned.first(where: { $0 >= nodes }) {
            faults.add("nodes", "there is no \(NodeName.text(stranger)) among \(nodes) nodes", nil)
        }
        if let late = misbehaviours.first(where: { $0.start > duration }) {
            faults.add("byzantine", "\(late.kind.rawValue) starts after the scenario's duration", nil)
        }
        if members > nodes { faults.add("members", "more members than nodes", nil) }
        if members >= 2, threshold >= members {
            faults.add(
                "threshold", "\(members) members cannot meet it: an executor does not attest itself", nil)
        }
        if members == 1 {
            faults.add("members", "a federation has two members at least, or there is none", nil)
        }
        if let late = self.faults.first(where: { $0.end > duration }) {
            faults.add("faults", "\(late.kind.rawValue) ends after the scenario's duration", nil)
        }
    }
}

extension ObjectReader {
    /// The object under `key`, if there is one.
    fileprivate func optional(_ key: String) -> ObjectReader? { has(key) ? object(key) : nil }

    /// A span of time such as `20s`, in microseconds.
    fileprivate func duration(_ key: String) -> Int64? {
        guard let (text, position) = text(key) else { return nil }
        if let value = Duration.microseconds(text) { return value }
        faults.add(join(key), "“\(text)” is not a duration such as 500ms, 20s or 10m", position)
        return nil
    }

    fileprivate func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = value(key) else { return nil }
        let number: Double
        switch value.content {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default:
            faults.add(join(key), "must be a number, not \(value.kindName)", value.position)
            return nil
        }
        guard range.contains(number) else {
            faults.add(
                join(key), "must be between \(range.lowerBound) and \(range.upperBound), not \(number)",
                value.position)
            return nil
        }
        return number
    }

    /// Node names, as indices.
    fileprivate func nodes(_ key: String) -> [Int] {
        texts(key).compactMap { path, text, position in
            if let index = NodeName.index(text) { return index }
            faults.add(path, "“\(text)” is not a node such as n03", position)
            return nil
        }
    }

    /// A distribution: a duration, or an object with exactly one of `uniform`, `exponential`, `lognormal`.
    fileprivate func distribution(_ key: String) -> Distribution? {
        guard let value = value(key) else { return nil }
        if case .string(let text) = value.content {
            if let microseconds = Duration.microseconds(text) { return .constant(microseconds) }
            faults.add(join(key), "“\(text)” is not a duration such as 500ms", value.position)
            return nil
        }
        let reader = ObjectReader(value, path: join(key), faults: faults)
        defer { reader.finish() }
        if let mean = reader.duration("exponential") { return .exponential(mean: mean) }
        if let median = reader.duration("lognormal") {
            return .lognormal(median: median, spread: reader.number("spread", in: 0...5) ?? 0.5)
        }
        let bounds = reader.texts("uniform").compactMap { Duration.microseconds($0.text) }
        if bounds.count == 2, bounds[0] <= bounds[1] { return .uniform(bounds[0]...bounds[1]) }
        faults.add(
            join(key),
            "must be a duration, {uniform: [\"1ms\", \"5ms\"]}, {exponential: \"5ms\"} or {lognormal: \"5ms\"}",
            value.position)
        return nil
    }
}
