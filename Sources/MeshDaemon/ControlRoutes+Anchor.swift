internal import MeshStore
internal import ControlServer
internal import IPLD
internal import JobRuntime
internal import MeshAPI
internal import MeshCore
internal import MeshEngine
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage
internal import MeshStore

extension ControlRoutes {
    /// Publishes a local run in this node's feed.
    ///
    /// The file is checked and its run repeated first. The node then answers for the job itself: it
    /// becomes submitter, placer and executor of a manifest of its own, and because a program's clock
    /// and random numbers follow from the manifest, the run that it publishes is one of that manifest.
    func anchorReceipt(_ request: ControlRequest) throws -> ControlResponse {
        guard let runtime = daemon.runtime else {
            return .error(
                422,
                APIError(code: "receipt.invalid", message: "this node has no runtime to repeat the run with"))
        }
        let accepted: LocalRun.Accepted
        do throws(LocalRun.Refusal) {
            accepted = try LocalRun.accept(request.body) { _, run, code in
                (runtime.run(run, code: code), runtime.engine)
            }
        } catch {
            return .error(422, APIError(code: error.code, message: error.message))
        }
        do throws(StorageError) {
            try daemon.store.blobs.putBlobs(accepted.blobs)
        } catch {
            return .error(503, APIError(code: error.code.rawValue, message: error.message, retryable: true))
        }
        let own = daemon.identity.did
        let settings = daemon.settings
        var manifest = accepted.manifest
        manifest.submitter = own
        manifest.placer = own
        manifest.trust = JobManifest.Trust(
            federation: settings.federationCID, method: settings.federation == nil ? .none : .replay,
            quorum: settings.federation?.threshold ?? 0)
        let cid = CID(of: manifest.encoded, codec: .dagCBOR)
        let started = SystemClock.now
        guard let run = manifest.request(cid: cid, input: { daemon.assemble($0) }),
            let code = daemon.assemble(manifest.code)
        else {
            return .error(
                422, APIError(code: "receipt.invalid", message: "code or inputs are not in the file"))
        }
        let result = runtime.run(run, code: code)
        let written = RunBlobs(result)
        do throws(StorageError) {
            try daemon.store.blobs.putBlobs(written.blocks)
        } catch {
            return .error(503, APIError(code: error.code.rawValue, message: error.message, retryable: true))
        }
        // A run outside the market has them in its receipt, as whoever repeats it finds them; nobody submits them.
        let submissions = JobSubmission.blocks(result.submissions)
        let receipt = JobReceipt(
            manifest: cid, award: nil, epoch: 0, executor: own, outcome: result.outcome,
            outputs: written.outputs, logs: written.logs, metering: result.metering, engine: runtime.engine,
            started: started, finished: max(started, SystemClock.now), submissions: submissions.map(\.cid)
        ).linked(to: manifest)
        return answer(.anchorReceipt(manifest, receipt, submissions: submissions))
    }
}
