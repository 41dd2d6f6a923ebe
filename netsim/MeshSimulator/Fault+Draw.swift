internal import MeshCore

extension FaultDraw {
    /// Draws the faults of one run.
    ///
    /// - Parameters:
    ///   - chance: The run's; each fault has a name of its own in it.
    ///   - nodes: How many nodes there are.
    ///   - work: What will be asked of the nodes: half of the crashes lie in wait for it.
    ///   - end: When all faults have ended.
    /// - Returns: The faults by their start.
    func faults(_ chance: Chance, nodes: Int, work: [Plan.Work] = [], end: Int64) -> [Fault] {
        guard !kinds.isEmpty, nodes > 1 else { return [] }
        var counter = chance.generator(for: "faults")
        let count = self.count.lowerBound + counter.below(self.count.count)
        var drawn: [Fault] = []
        for number in 0..<count {
            var generator = chance.generator(for: "fault \(number)")
            let kind = kinds[generator.below(kinds.count)]
            let start =
                window.lowerBound + Int64(generator.unit() * Double(window.upperBound - window.lowerBound))
            let span =
                length.lowerBound
                + Int64(generator.unit() * Double(length.upperBound - length.lowerBound))
            if kind == .crash, generator.happens(0.5), !work.isEmpty {
                drawn += Self.ambush(work[generator.below(work.count)], span: span, end: end, &generator)
                continue
            }
            drawn += Self.draw(
                kind, start: min(start, end), end: min(start + span, end), nodes: nodes, &generator)
        }
        return drawn.sorted { ($0.start, $0.line) < ($1.start, $1.line) }
    }

    /// A crash within milliseconds of something being confirmed, when what is not yet durable matters;
    /// half the time behind a clog, so that no peer has heard of it either.
    private static func ambush(
        _ work: Plan.Work, span: Int64, end: Int64, _ generator: inout SeededGenerator
    ) -> [Fault] {
        let start = work.time + Int64(generator.below(40)) * Duration.millisecond
        guard start < end else { return [] }
        let crash = Fault(.crash, start: start, end: min(start + span, end), nodes: [work.node])
        guard generator.happens(0.5), work.time > Duration.second else { return [crash] }
        let clog = Fault(
            .clog, start: work.time - Duration.second, end: start + Duration.millisecond, nodes: [work.node])
        return [clog, crash]
    }

    private static func draw(
        _ kind: Fault.Kind, start: Int64, end: Int64, nodes: Int, _ generator: inout SeededGenerator
    ) -> [Fault] {
        switch kind {
        case .cut:
            let pair = generator.sample(2, below: nodes)
            return [Fault(.cut, start: start, end: start, nodes: [pair[0]], others: [pair[1]])]
        case .partition, .oneWay:
            let side = generator.sample(1 + generator.below(max(1, nodes / 2)), below: nodes)
            let rest = (0..<nodes).filter { !side.contains($0) }
            return [Fault(kind, start: start, end: end, nodes: side, others: rest)]
        case .clog:
            // Swizzle: a random few are clogged one by one, and unclogged in another order.
            let victims = generator.sample(1 + generator.below(max(1, nodes / 3)), below: nodes)
            return victims.map { victim in
                let a = start + Int64(generator.unit() * Double(end - start) / 2)
                let b = start + Int64((1 + generator.unit()) * Double(end - start) / 2)
                return Fault(
                    .clog, start: a, end: b, nodes: [victim], others: (0..<nodes).filter { $0 != victim })
            }
        case .crash, .pause, .fullDisk, .lyingDisk:
            return [Fault(kind, start: start, end: end, nodes: [generator.below(nodes)])]
        case .skew:
            let amount = Double(generator.below(40_001) - 20_000)
            return [Fault(kind, start: start, end: end, nodes: [generator.below(nodes)], amount: amount)]
        case .slowDisk:
            let amount = Double(10 + generator.below(490))
            return [Fault(kind, start: start, end: end, nodes: [generator.below(nodes)], amount: amount)]
        case .loss, .frameLoss, .duplicates:
            let amount = Double(1 + generator.below(20)) / 100
            return [Fault(kind, start: start, end: end, amount: amount)]
        }
    }
}
