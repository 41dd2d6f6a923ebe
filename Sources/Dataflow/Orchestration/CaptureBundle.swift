public import IPLD
public import MeshCore

/// One pass as it was captured: all that it depended on, and what it gave.
public struct CapturedPass: Sendable, Hashable {
    public let episode: Int
    public let inputs: PassInputs
    public let computed: [Reading]
    /// What was said of its commands, in order.
    public let results: [ActionResult]
    public let report: PassReport
    public let finishedAt: Timestamp
}

/// What the orchestrator was told, in order.
public enum CaptureStep: Sendable, Hashable {
    /// The event of that index.
    case event(Int)
    case advance(Timestamp)
    /// The pass of that index was evaluated and finished.
    case pass(Int)
    case reset
}

/// Everything from outside that the passes of a graph depended on, with what was decided and what came out.
public struct CaptureBundle: Sendable, Hashable {
    /// The version of the document that ``json`` gives.
    public static let version = 1

    public let graph: CID
    public let configuration: OrchestratorConfiguration
    public internal(set) var events: [ExternalEvent] = []
    public internal(set) var decisions: [Decision] = []
    public internal(set) var passes: [CapturedPass] = []
    public internal(set) var steps: [CaptureStep] = []

    init(graph: CID, configuration: OrchestratorConfiguration) {
        self.graph = graph
        self.configuration = configuration
    }

    mutating func record(_ event: ExternalEvent) {
        steps.append(.event(events.count))
        events.append(event)
    }

    mutating func record(_ pass: CapturedPass) {
        steps.append(.pass(passes.count))
        passes.append(pass)
    }
}

extension CaptureBundle {
    /// The bundle as one canonical JSON document.
    public var json: String { json(passes: nil) }

    /// ``json``, with the elements of its passes as ``text(of:)`` gave them, commas between; `nil` writes them now.
    func json(passes written: String?) -> String {
        var json = JSONText()
        json.object { json in
            json.key("capture_version")
            json.integer(Self.version)
            json.key("graph_id")
            json.string(graph.description)
            json.key("adapter_version")
            json.string(configuration.adapterVersion)
            json.key("config")
            write(configuration, to: &json)
            json.key("events")
            json.list(events) { write($1, to: &$0) }
            json.key("steps")
            json.list(steps) { write($1, to: &$0) }
            json.key("decisions")
            json.list(decisions) { write($1, to: &$0) }
            json.key("passes")
            if let written {
                json.list(written: written)
            } else {
                json.list(passes) { Self.write($1, to: &$0) }
            }
        }
        return json.text
    }

    /// What ``json`` holds of one pass.
    static func text(of pass: CapturedPass) -> String {
        var json = JSONText()
        write(pass, to: &json)
        return json.text
    }

    private func write(_ configuration: OrchestratorConfiguration, to json: inout JSONText) {
        json.object { json in
            json.key("cadence")
            json.string(configuration.cadence.rawValue)
            json.optional("max_in_flight", configuration.inFlightMax)
            json.optional("max_per_window", configuration.perWindowMax)
            json.optional("rate_window", configuration.rateWindow)
            json.optional("deadline", configuration.deadline)
            json.optional("max_retries", configuration.retriesMax)
        }
    }

    private func write(_ event: ExternalEvent, to json: inout JSONText) {
        json.object { json in
            json.key("event_id")
            json.string(event.id)
            json.key("event_time")
            json.time(event.time)
            json.key("kind")
            json.string(event.kind.rawValue)
            json.key("payload")
            json.string(event.payload)
            json.key("payload_hash")
            json.string(event.payloadHash)
        }
    }

    private func write(_ step: CaptureStep, to json: inout JSONText) {
        json.object { json in
            switch step {
            case .event(let index): json.optional("event", index)
            case .pass(let index): json.optional("pass", index)
            case .advance(let time):
                json.key("advance")
                json.time(time)
            case .reset:
                json.key("reset")
                json.bool(true)
            }
        }
    }

    private func write(_ decision: Decision, to json: inout JSONText) {
        json.object { json in
            json.key("event_id")
            json.string(decision.eventID)
            json.key("decision")
            json.string(decision.kind.rawValue)
            if let time = decision.scheduleAt {
                json.key("schedule_at")
                json.time(time)
            }
            json.optional("episode_id", decision.episode)
            if let time = decision.deadline {
                json.key("deadline")
                json.time(time)
            }
            if let termination = decision.termination {
                json.key("termination")
                json.string(termination.description)
            }
            json.optional("retry_count", decision.retryCount)
        }
    }

    private static func write(_ pass: CapturedPass, to json: inout JSONText) {
        json.object { json in
            json.optional("episode_id", pass.episode)
            json.key("finished_at")
            json.time(pass.finishedAt)
            json.key("inputs")
            json.list(pass.inputs.readings) { write($1, to: &$0) }
            json.key("computed")
            json.list(pass.computed) { write($1, to: &$0) }
            json.key("results")
            json.list(pass.results) { json, result in
                json.object { json in
                    switch result {
                    case .outcome(let event):
                        json.key("outcome")
                        json.string(event.name)
                    case .failure(let failure): json.failure(failure)
                    }
                }
            }
            pass.report.write(to: &json)
        }
    }

    private static func write(_ reading: Reading, to json: inout JSONText) {
        json.object { json in
            json.key("node")
            json.string(reading.node)
            switch reading.result {
            case .failure(let failure): json.failure(failure)
            case .success(let values):
                json.key("values")
                json.list(values) { json, value in
                    json.object { json in
                        json.key("port")
                        json.string(value.port)
                        json.key("value")
                        json.value(value.value)
                    }
                }
            }
        }
    }
}

extension JSONText {
    mutating func optional(_ name: String, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        key(name)
        integer(value)
    }

    /// Whole seconds and nanoseconds since 1970.
    mutating func time(_ time: Timestamp) {
        let rest = ((time.milliseconds % 1_000) + 1_000) % 1_000
        object { json in
            json.optional("secs", time.milliseconds / 1_000 - (time.milliseconds % 1_000 < 0 ? 1 : 0))
            json.optional("nanos", rest * 1_000_000)
        }
    }
}
