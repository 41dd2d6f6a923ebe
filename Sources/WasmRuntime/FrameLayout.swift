internal import CWasmtime
internal import MeshRuntime

/// How frames between a pool and its workers are measured.
///
/// Both ends are the same program, so headers travel as they lie in memory. A frame's length counts
/// everything and is a multiple of eight.
enum FrameLayout {
    /// The largest frame; a job whose inputs do not fit is refused before it is sent.
    static let bytesMax = 1 << 30

    static func length<Header>(_ header: Header.Type, _ body: Int) -> Int {
        (MemoryLayout<Header>.size + body + 7) & ~7
    }

    static func frame<Header>(
        _ kind: Int, _ sequence: UInt64, _ header: Header.Type, _ body: Int
    ) -> mesh_frame {
        mesh_frame(length: UInt32(length(header, body)), kind: UInt32(kind), sequence: sequence)
    }

    /// Whether a frame's length is one that a sound worker would send.
    static func isPlausible(_ frame: mesh_frame) -> Bool {
        let length = Int(frame.length)
        return length >= MemoryLayout<mesh_frame>.size && length & 7 == 0
            && length <= bytesMax + EffectEncoding.byteCountMax + 65_536
    }

    /// The length of the frame at the front of `buffer`, when all of it is there.
    static func completeFrame(in buffer: ByteBuffer) -> mesh_frame? {
        guard let frame = buffer.front(as: mesh_frame.self), buffer.count >= Int(frame.length) else {
            return nil
        }
        return frame
    }
}

extension OutcomeClass {
    /// The class as a number within a frame.
    var number: UInt32 {
        switch self {
        case .ok: 0
        case .exit: 1
        case .trap: 2
        case .fuel: 3
        case .memory: 4
        case .output: 5
        case .time: 6
        case .engine: 7
        case .lost: 8
        case .nodeResources: 9
        }
    }

    init(number: UInt32) {
        let all: [OutcomeClass] = [
            .ok, .exit, .trap, .fuel, .memory, .output, .time, .engine, .lost, .nodeResources,
        ]
        self = Int(number) < all.count ? all[Int(number)] : .engine
    }
}
