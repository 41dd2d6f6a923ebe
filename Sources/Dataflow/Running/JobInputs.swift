internal import IPLD
internal import MeshRuntime

/// The inputs of a job as sources and computes name them.
struct JobInputs: Sendable {
    private struct Input: Sendable {
        let name: String
        let bytes: [UInt8]
        let cid: CID?
    }

    private let inputs: [Input]

    init(_ request: RunRequest) {
        var inputs = request.files.map { Input(name: $0.name, bytes: $0.bytes, cid: $0.cid) }
        // An empty stdin without a name in the manifest is one that was not given.
        if request.stdinCID != nil || !request.stdin.isEmpty {
            inputs.append(Input(name: "stdin", bytes: request.stdin, cid: request.stdinCID))
        }
        self.inputs = inputs
    }

    subscript(name: String) -> [UInt8]? {
        inputs.first { $0.name.utf8.elementsEqual(name.utf8) }?.bytes
    }

    /// The input whose bytes are called `text`, a CID.
    func bytes(calledBy text: String) -> [UInt8]? {
        guard let cid = try? CID(text) else { return nil }
        return inputs.first { ($0.cid ?? CID(of: $0.bytes, codec: .raw)) == cid }?.bytes
    }
}
