internal import JSON5

/// What the action `submit_job` of a job asks for: the object that its parameter `manifest` holds.
///
/// `{"wasm": CID, "description": "", "resource_type": "compute", "resource_amount": N, "priority": "medium"}`; `wasm` and
/// `resource_amount` must be there. These are some of the names that `submit-job --file` takes, so that the same action
/// works on the command line. Whether the job may have it is for the host to say.
struct JobRequest: Sendable, Hashable {
    let code: String
    let description: String
    let resource: String
    let amount: Int64
    let priority: String

    init(_ text: String) throws(JobGraphError) {
        let faults = FaultList()
        do throws(JSON5Error) {
            let object = ObjectReader(try JSON5Parser.file(text), path: "", faults: faults)
            for key in ["wasm", "resource_amount"] where !object.has(key) {
                faults.add(key, "is missing", object.position)
            }
            code = object.text("wasm")?.text ?? ""
            description = object.text("description")?.text ?? ""
            resource = object.text("resource_type")?.text ?? "compute"
            amount = Int64(object.integer("resource_amount", in: Int.min...Int.max) ?? 0)
            priority = object.text("priority")?.text ?? "medium"
            object.finish()
            if !faults.faults.isEmpty { throw JSON5Error(faults: faults.faults) }
        } catch {
            throw JobGraphError(
                "dataflow.job-manifest", "the manifest: \(error.faults[0].description)",
                hint:
                    #"{"wasm": "bafy…", "resource_amount": 10}, and where they differ "description", "resource_type", "priority""#
            )
        }
    }
}
