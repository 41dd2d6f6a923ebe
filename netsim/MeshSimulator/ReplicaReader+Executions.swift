internal import MeshRuntime
internal import ExecutionDocuments
internal import IPLD
internal import MeshCore
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

extension ReplicaReader {
    /// What is wrong with the execution documents that an executor's own receipts link, as its disk has them.
    ///
    /// Both snapshots must be there, be of one execution, and say what the receipt says; how they are made is not
    /// asked of the engine.
    func executionFaults(_ own: [ReadAnchor], on disk: MemoryStorage) -> [String] {
        own.flatMap(\.entries).compactMap { cid, entry in
            guard case .receipt(let receipt)? = entry, !checkedReceipts.contains(cid) else { return nil }
            guard let links = receipt.execution else { return "the receipt \(cid) links no execution" }
            do throws(ExecutionError) {
                let execution = try RehydratedExecution(start: links.start, end: links.end) {
                    (try? disk.block($0)) ?? nil
                }
                let fuel = execution.end["result"]?["metering"]?["fuel"]
                let uid = "\(JobID(manifest: receipt.manifest)).\(receipt.epoch)"
                guard execution.start.status == .running, execution.start.uid.description == uid,
                    execution.start.timestamp == receipt.started,
                    fuel == .number(DocumentNumber(Int64(clamping: receipt.metering.fuel)))
                else { return "the receipt \(cid) links the documents of another run" }
            } catch {
                return "the receipt \(cid) links an execution that cannot be rehydrated: \(error)"
            }
            checkedReceipts.insert(cid)
            return nil
        }
    }
}
