internal import IPLD
internal import JSON5

/// What running a captured run again gave.
public enum ReplayResult: Sendable, Hashable {
    /// Every byte came out again.
    case identical
    /// The first place where the documents differ, such as `passes[2].outputs.total.number`, and what stands there.
    case different(path: String, captured: String, replayed: String)
}

/// Why a capture cannot be run again.
public enum ReplayRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// It was made of another graph.
    case otherGraph(captured: String, given: String)

    public var description: String {
        switch self {
        case .otherGraph(let captured, let given):
            "this capture belongs to the graph \(captured), and \(given) was given"
        }
    }
}

extension CapturedPass {
    /// Gives adapter computes what they gave when the pass was captured.
    public var recorded: AdapterFunction {
        { [computed] request, _ in
            computed.first { $0.node == request.node }?.result
                ?? .failure(PrimitiveFailure(.adapterUnavailable, "this was not captured"))
        }
    }
}

extension CaptureBundle {
    /// Tells a new orchestrator all that the captured one was told.
    ///
    /// `adapter` works adapter computes out anew; without one what was captured is taken.
    ///
    /// The capture of the new run is returned; another graph than the captured one is refused.
    public func replay(on graph: PreparedGraph, adapter: AdapterFunction? = nil) throws(ReplayRefusal)
        -> CaptureBundle
    {
        guard graph.cid == self.graph else {
            throw .otherGraph(captured: self.graph.description, given: graph.cid.description)
        }
        var machine = Orchestrator(graph: graph, configuration: configuration)
        for step in steps {
            switch step {
            case .event(let index): _ = machine.receive(events[index])
            case .advance(let time): _ = machine.advance(to: time)
            case .reset: machine.reset()
            case .pass(let index):
                let captured = passes[index]
                guard
                    var pass = machine.evaluate(
                        episode: captured.episode, inputs: captured.inputs,
                        adapter: adapter ?? captured.recorded)
                else { continue }
                for result in captured.results { pass.acknowledge(result) }
                _ = machine.finish(episode: captured.episode, pass: pass, at: captured.finishedAt)
            }
        }
        return machine.capture
    }

    /// Runs a captured document again and compares every byte.
    ///
    /// - Throws: What is wrong with the document, or ``ReplayRefusal``.
    public static func verify(
        _ document: String, on graph: PreparedGraph, adapter: AdapterFunction? = nil
    ) throws -> ReplayResult {
        let replayed = try CaptureBundle(reading: document).replay(on: graph, adapter: adapter).json
        if replayed.utf8.elementsEqual(document.utf8) { return .identical }
        let captured = try JSON5Parser.parse(document)
        let again = try JSON5Parser.parse(replayed)
        return firstDifference(captured, again, path: "")
            ?? .different(path: "", captured: "another spelling", replayed: "the canonical one")
    }

    /// Walks both documents side by side; they are no deeper than the parser lets them be.
    static func firstDifference(_ a: JSON5Value, _ b: JSON5Value, path: String) -> ReplayResult? {
        switch (a.content, b.content) {
        case (.object(let left), .object(let right)):
            for index in 0..<max(left.count, right.count) {
                let one = index < left.count ? left[index] : nil
                let other = index < right.count ? right[index] : nil
                guard let one, let other, one.key == other.key else {
                    return .different(
                        path: path, captured: one.map { "“\($0.key)”" } ?? "nothing more",
                        replayed: other.map { "“\($0.key)”" } ?? "nothing more")
                }
                let inner = path.isEmpty ? one.key : "\(path).\(one.key)"
                if let found = firstDifference(one.value, other.value, path: inner) { return found }
            }
            return nil
        case (.array(let left), .array(let right)):
            for index in 0..<max(left.count, right.count) {
                guard index < left.count, index < right.count else {
                    return .different(
                        path: "\(path)[\(index)]",
                        captured: index < left.count ? text(left[index]) : "nothing more",
                        replayed: index < right.count ? text(right[index]) : "nothing more")
                }
                if let found = firstDifference(left[index], right[index], path: "\(path)[\(index)]") {
                    return found
                }
            }
            return nil
        default:
            let (left, right) = (text(a), text(b))
            return left == right ? nil : .different(path: path, captured: left, replayed: right)
        }
    }

    private static func text(_ value: JSON5Value) -> String {
        switch value.content {
        case .null: "null"
        case .boolean(let flag): String(flag)
        case .integer(let number): String(number)
        case .number(let number): number.description
        case .string(let text): "“\(text)”"
        case .array(let elements): "a list of \(elements.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}
