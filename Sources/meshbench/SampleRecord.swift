import IPLD
import MeshCore
import MeshIdentity

/// A receipt-shaped record of 435 bytes, for the codec benchmark.
struct SampleRecord: Equatable {
    struct Output: Equatable {
        var cid: CID
        var name: String
        var size: UInt64
    }

    var kind: String
    var logs: [CID]
    var epoch: UInt64
    var engineName: String
    var engineProfile: CID
    var engineVersion: String
    var exit: Int64
    var outcome: String
    var outputs: [Output]
    var started: UInt64
    var executor: DID
    var finished: UInt64
    var manifest: CID
    var fuel: UInt64
    var wallMilliseconds: UInt64
    var ioBytes: UInt64
    var hostCalls: UInt64
    var memoryPeak: UInt64
    var submissions: [CID]

    init() {
        kind = "job.receipt"
        logs = []
        epoch = 0
        engineName = "wasmtime"
        engineProfile = CID(of: [1], codec: .dagCBOR)
        engineVersion = "48.0.0"
        exit = 0
        outcome = "ok"
        outputs = [Output(cid: CID(of: [2], codec: .raw), name: "result.json", size: 4096)]
        started = 1_795_262_400_000
        executor = DID(publicKey: Bytes32([UInt8](repeating: 9, count: 32)))
        finished = 1_795_262_400_250
        manifest = CID(of: [3], codec: .dagCBOR)
        fuel = 1_234_567
        wallMilliseconds = 250
        ioBytes = 4096
        hostCalls = 17
        memoryPeak = 1_114_112
        submissions = []
    }

    var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encode(to: &encoder)
        return encoder.bytes
    }

    func encode(to encoder: inout DAGCBOREncoder) {
        encoder.map { map in
            map.field("kind") { $0.text(kind) }
            map.field("logs") { $0.links(logs) }
            map.field("epoch") { $0.unsigned(epoch) }
            map.field("engine") { engine in
                engine.map { map in
                    map.field("name") { $0.text(engineName) }
                    map.field("profile") { $0.link(engineProfile) }
                    map.field("version") { $0.text(engineVersion) }
                }
            }
            map.field("outcome") { outcome in
                outcome.map { map in
                    map.field("exit") { $0.integer(exit) }
                    map.field("class") { $0.text(self.outcome) }
                }
            }
            map.field("outputs") { list in
                list.array(outputs) { encoder, output in
                    encoder.map { map in
                        map.field("cid") { $0.link(output.cid) }
                        map.field("name") { $0.text(output.name) }
                        map.field("size") { $0.unsigned(output.size) }
                    }
                }
            }
            map.field("started") { $0.unsigned(started) }
            map.field("executor") { $0.did(executor) }
            map.field("finished") { $0.unsigned(finished) }
            map.field("manifest") { $0.link(manifest) }
            map.field("metering") { metering in
                metering.map { map in
                    map.field("fuel") { $0.unsigned(fuel) }
                    map.field("wall_ms") { $0.unsigned(wallMilliseconds) }
                    map.field("io_bytes") { $0.unsigned(ioBytes) }
                    map.field("host_calls") { $0.unsigned(hostCalls) }
                    map.field("memory_peak") { $0.unsigned(memoryPeak) }
                }
            }
            map.field("submissions") { $0.links(submissions) }
        }
    }

    init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in try SampleRecord(&map) }
        }
    }

    private init(_ map: inout DAGCBORDecoder.MapReader) throws(IPLDError) {
        kind = try map.field("kind") { decoder throws(IPLDError) in try decoder.text(atMost: 64) }
        logs = try map.field("logs") { decoder throws(IPLDError) in try decoder.links(atMost: 16) }
        epoch = try map.field("epoch") { decoder throws(IPLDError) in try decoder.unsigned() }
        (engineName, engineProfile, engineVersion) = try map.field("engine") { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                (
                    try map.field("name") { decoder throws(IPLDError) in try decoder.text(atMost: 64) },
                    try map.field("profile") { decoder throws(IPLDError) in try decoder.link() },
                    try map.field("version") { decoder throws(IPLDError) in try decoder.text(atMost: 64) }
                )
            }
        }
        (exit, outcome) = try map.field("outcome") { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                (
                    try map.field("exit") { decoder throws(IPLDError) in try decoder.integer() },
                    try map.field("class") { decoder throws(IPLDError) in try decoder.text(atMost: 64) }
                )
            }
        }
        outputs = try map.field("outputs") { decoder throws(IPLDError) in
            try decoder.array(atMost: 64) { decoder throws(IPLDError) in
                try decoder.map { map throws(IPLDError) in
                    Output(
                        cid: try map.field("cid") { decoder throws(IPLDError) in try decoder.link() },
                        name: try map.field("name") { decoder throws(IPLDError) in
                            try decoder.text(atMost: 255)
                        },
                        size: try map.field("size") { decoder throws(IPLDError) in try decoder.unsigned() })
                }
            }
        }
        started = try map.field("started") { decoder throws(IPLDError) in try decoder.unsigned() }
        executor = try map.field("executor") { decoder throws(IPLDError) in try decoder.did() }
        finished = try map.field("finished") { decoder throws(IPLDError) in try decoder.unsigned() }
        manifest = try map.field("manifest") { decoder throws(IPLDError) in try decoder.link() }
        (fuel, wallMilliseconds, ioBytes, hostCalls, memoryPeak) = try map.field("metering") {
            decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                (
                    try map.field("fuel") { decoder throws(IPLDError) in try decoder.unsigned() },
                    try map.field("wall_ms") { decoder throws(IPLDError) in try decoder.unsigned() },
                    try map.field("io_bytes") { decoder throws(IPLDError) in try decoder.unsigned() },
                    try map.field("host_calls") { decoder throws(IPLDError) in try decoder.unsigned() },
                    try map.field("memory_peak") { decoder throws(IPLDError) in try decoder.unsigned() }
                )
            }
        }
        submissions = try map.field("submissions") { decoder throws(IPLDError) in
            try decoder.links(atMost: 16)
        }
    }
}
