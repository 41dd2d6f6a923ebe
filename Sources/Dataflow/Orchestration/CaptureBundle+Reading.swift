internal import IPLD
public import JSON5
internal import MeshCore

extension CaptureBundle {
    /// The longest bundle that is read, in bytes.
    public static let bytesMax = 256 << 20

    /// Reads what ``json`` gives.
    ///
    /// What was reported is not read but worked out again: ``ReplayResult`` compares texts.
    ///
    /// - Throws: Everything that is wrong with it, with its path and place.
    public init(reading text: String) throws(JSON5Error) {
        let value = try JSON5Parser.file(text, byteCountMax: Self.bytesMax)
        let faults = FaultList()
        let reader = BundleReader(faults: faults)
        let bundle = reader.bundle(value)
        guard let bundle, faults.faults.isEmpty else { throw JSON5Error(faults: faults.faults) }
        self = bundle
    }
}

/// Reads the parts of a bundle that a replay needs.
private struct BundleReader {
    let faults: FaultList

    func bundle(_ value: JSON5Value) -> CaptureBundle? {
        let object = ObjectReader(value, path: "", faults: faults)
        let version = required(object, "capture_version", 0...1_000_000)
        if let version, version != CaptureBundle.version {
            faults.add(
                "capture_version", "is \(version); \(CaptureBundle.version) is read here", object.position)
        }
        var graph: CID?
        if let (text, position) = object.text("graph_id") {
            do { graph = try CID(text) } catch { faults.add("graph_id", error.message, position) }
        }
        guard let graph else {
            faults.add("graph_id", "must be a CID", object.position)
            return nil
        }
        let adapter = object.text("adapter_version")?.text ?? ""
        let configuration = self.configuration(object.object("config"), adapter)
        var bundle = CaptureBundle(graph: graph, configuration: configuration)
        bundle.events = object.list("events").compactMap { event($0.value, $0.path) }
        bundle.passes = object.list("passes").compactMap { pass($0.value, $0.path) }
        bundle.steps = object.list("steps").compactMap { step($0.value, $0.path, bundle) }
        _ = object.list("decisions")
        object.finish()
        return bundle
    }

    private func required(_ object: ObjectReader, _ key: String, _ range: ClosedRange<Int>) -> Int? {
        if !object.has(key) { faults.add(object.join(key), "is missing", object.position) }
        return object.integer(key, in: range)
    }

    private func configuration(_ object: ObjectReader, _ adapter: String) -> OrchestratorConfiguration {
        let configuration = OrchestratorConfiguration(
            cadence: object.choice("cadence", .event),
            inFlightMax: object.integer("max_in_flight", in: 1...Int.max),
            perWindowMax: object.integer("max_per_window", in: 1...Int.max),
            rateWindow: Int64(object.integer("rate_window", in: 1...1 << 40) ?? 1_000),
            deadline: object.integer("deadline", in: 0...1 << 40).map { Int64($0) },
            retriesMax: object.integer("max_retries", in: 0...1_000) ?? 0, adapterVersion: adapter)
        object.finish()
        return configuration
    }

    private func time(_ object: ObjectReader, _ key: String) -> Timestamp {
        let inner = object.object(key)
        let seconds = required(inner, "secs", Int(Int64.min / 1_000)...Int(Int64.max / 1_000 - 1)) ?? 0
        let nanoseconds = required(inner, "nanos", 0...999_999_999) ?? 0
        inner.finish()
        return Timestamp(milliseconds: Int64(seconds) * 1_000 + Int64(nanoseconds / 1_000_000))
    }

    private func event(_ value: JSON5Value, _ path: String) -> ExternalEvent? {
        let object = ObjectReader(value, path: path, faults: faults)
        let id = object.text("event_id")?.text ?? ""
        let payload = object.text("payload")?.text ?? ""
        let event = ExternalEvent(
            id: id, time: time(object, "event_time"), kind: object.choice("kind", .tick), payload: payload)
        if payload.utf8.count > ExternalEvent.payloadMax || id.utf8.count > ExternalEvent.idMax {
            faults.add(path, "is longer than an event may be", value.position)
        } else if object.text("payload_hash")?.text != event.payloadHash {
            faults.add(object.join("payload_hash"), "is not the SHA-256 of the payload", value.position)
        }
        object.finish()
        return event
    }

    private func step(_ value: JSON5Value, _ path: String, _ bundle: CaptureBundle) -> CaptureStep? {
        let object = ObjectReader(value, path: path, faults: faults)
        defer { object.finish() }
        if object.has("event") {
            return object.integer("event", in: 0...max(0, bundle.events.count - 1)).flatMap {
                $0 < bundle.events.count ? .event($0) : nil
            }
        }
        if object.has("pass") {
            return object.integer("pass", in: 0...max(0, bundle.passes.count - 1)).flatMap {
                $0 < bundle.passes.count ? .pass($0) : nil
            }
        }
        if object.has("advance") { return .advance(time(object, "advance")) }
        if object.boolean("reset", false) { return .reset }
        faults.add(path, "must be one of event, pass, advance, reset", value.position)
        return nil
    }

    private func pass(_ value: JSON5Value, _ path: String) -> CapturedPass? {
        let object = ObjectReader(value, path: path, faults: faults)
        let episode = required(object, "episode_id", 0...Int.max) ?? 0
        let inputs = object.list("inputs").compactMap { reading($0.value, $0.path) }
        let computed = object.list("computed").compactMap { reading($0.value, $0.path) }
        let results = object.list("results").compactMap { result($0.value, $0.path) }
        for key in ["outputs", "acknowledgements", "commands", "failure"] { _ = object.value(key) }
        let finishedAt = time(object, "finished_at")
        object.finish()
        return CapturedPass(
            episode: episode, inputs: PassInputs(inputs), computed: computed, results: results,
            report: PassReport(outputs: [], acknowledgements: [], commands: [], failure: nil),
            finishedAt: finishedAt)
    }

    private func failure(_ object: ObjectReader) -> PrimitiveFailure {
        PrimitiveFailure(object.choice("class", .runtimeError), object.text("message")?.text ?? "")
    }

    private func result(_ value: JSON5Value, _ path: String) -> ActionResult? {
        let object = ObjectReader(value, path: path, faults: faults)
        defer { object.finish() }
        if object.has("class") { return .failure(failure(object)) }
        guard let (name, position) = object.text("outcome") else { return nil }
        guard let event = FlowEvent(name: name) else {
            faults.add(object.join("outcome"), "“\(name)” is no outcome", position)
            return nil
        }
        return .outcome(event)
    }

    private func reading(_ value: JSON5Value, _ path: String) -> Reading? {
        let object = ObjectReader(value, path: path, faults: faults)
        defer { object.finish() }
        let node = object.text("node")?.text ?? ""
        if object.has("class") { return Reading(node: node, .failure(failure(object))) }
        let values = object.list("values").compactMap { path, value -> PortValue? in
            let inner = ObjectReader(value, path: path, faults: faults)
            defer { inner.finish() }
            let port = inner.text("port")?.text ?? ""
            return FlowValueReader(faults: faults).value(inner.value("value"), inner.join("value"))
                .map { PortValue(port, $0) }
        }
        return Reading(node: node, values)
    }
}
