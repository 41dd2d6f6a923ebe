internal import ControlClient
internal import Dataflow
internal import FoundationEssentials
internal import MeshAPI

extension FlowSurroundings {
    /// Submits the job that an action names; the action's `input`, where there is any, is the job's stdin.
    func submitJob(_ command: AdapterRequest) throws {
        guard let data = (command.text("manifest") ?? "").data(using: .utf8),
            var request = try? JSONDecoder().decode(SubmitRequest.self, from: data)
        else {
            throw PrimitiveFailure(.validationFailed, "the manifest is not a job as --file takes it")
        }
        let client = try context.client()
        let input = command.text("input") ?? ""
        if !input.isEmpty {
            guard !(request.inputs ?? []).contains(where: { $0.name == "stdin" }) else {
                throw PrimitiveFailure(
                    .validationFailed,
                    "the job's stdin is given twice: by its manifest, and as the action's input")
            }
            let blob: BlobView = try client.post("/v1/blobs", bytes: Array(input.utf8))
            request.inputs =
                (request.inputs ?? []) + [InputReference(name: "stdin", cid: blob.cid, size: blob.size)]
        }
        let _: SubmitResponse = try client.post("/v1/jobs", request)
    }
}
