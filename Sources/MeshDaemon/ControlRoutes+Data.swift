internal import MeshStore
internal import ControlServer
internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshEngine
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage
internal import WasmRuntime

import Foundation

extension Daemon {
    /// A blob's bytes, put together from its chunks; `nil` when some are not here.
    func assemble(_ cid: CID) -> [UInt8]? {
        let blobs = store.blobs
        return BlobList.assemble(cid, atMost: JobRunner.inputByteCountMax) { try? blobs.blob($0) }
    }
}

// Blocks, blobs, logs and archives: read from snapshots, beside the engine.
extension ControlRoutes {
    private func storage(_ error: StorageError) -> ControlResponse {
        .error(
            503,
            APIError(code: error.code.rawValue, message: error.message, hint: error.hint, retryable: true))
    }

    // MARK: Blobs

    func putBlob(_ request: ControlRequest) throws -> ControlResponse {
        let blocks = BlobList.split(request.body)
        do throws(StorageError) {
            var new: [Block] = []
            for block in blocks where try !daemon.store.blobs.hasBlob(block.cid) { new.append(block) }
            if !new.isEmpty { try daemon.store.blobs.putBlobs(new) }
        } catch {
            return storage(error)
        }
        let chunks = blocks.filter { $0.cid.codec == .raw }.count
        return .json(
            BlobView(
                cid: "\(blocks.first?.cid ?? CID(of: [], codec: .raw))", size: request.body.count,
                chunks: blocks.count > 1 ? chunks : nil), status: 201)
    }

    func blob(_ text: String) throws -> ControlResponse {
        guard let cid = try? CID(text) else {
            throw APIError(code: "request.malformed", message: "\"\(text.prefix(80))\" is not a CID")
        }
        if let bytes = daemon.assemble(cid) { return .bytes(bytes) }
        return .error(
            404, APIError(code: "blob.unknown", message: "the blob \(cid) is not here, or not whole"))
    }

    func block(_ text: String) throws -> ControlResponse {
        let cid: CID
        do {
            guard let found = try resolveBlock(text) else {
                return .error(
                    404, APIError(code: "block.unknown", message: "no block \(text.prefix(80)) is here"))
            }
            cid = found
        } catch let error as StorageError {
            return storage(error)
        }
        do throws(StorageError) {
            var found = try daemon.store.read { reader throws(StorageError) in try reader.block(cid) }
            if found == nil { found = try daemon.store.blobs.blob(cid) }
            guard let bytes = found else {
                return .error(404, APIError(code: "block.unknown", message: "no block \(cid) is here"))
            }
            return .bytes(
                bytes,
                contentType: cid.codec == .dagCBOR
                    ? "application/vnd.ipld.dag-cbor" : "application/vnd.ipld.raw")
        } catch {
            return storage(error)
        }
    }

    /// The block that a CID, or the beginning of the CID of an anchor or an entry, means.
    private func resolveBlock(_ text: String) throws -> CID? {
        if let cid = try? CID(text) { return cid }
        guard text.count >= 8, text.hasPrefix("b") else {
            throw APIError(
                code: "request.malformed", message: "\"\(text.prefix(80))\" is not a CID",
                hint: "give a whole CID, or at least its first eight characters")
        }
        let found: Set<CID> = try daemon.store.snapshot { reader in
            var found: Set<CID> = []
            try reader.scan(.arrival, prefix: []) { _, value throws(StorageError) in
                guard let cid = try? CID(bytes: value),
                    let (_, anchor) = try FeedGraph.anchor(cid, in: reader)
                else {
                    return true
                }
                for one in [cid] + anchor.entries where one.description.hasPrefix(text) { found.insert(one) }
                return found.count < 9
            }
            return found
        }
        if found.count > 1 {
            throw APIError(
                code: "block.ambiguous",
                message: "\"\(text)\" may mean \(found.sorted().map(\.description).joined(separator: ", "))")
        }
        return found.first
    }

    // MARK: Logs and events

    func logs(_ id: String, _ request: ControlRequest) throws -> ControlResponse {
        let wanted = request.query["stream"] ?? "stdout"
        let isFollowing = request.query["follow"] == "1"
        guard ["stdout", "stderr", "all"].contains(wanted) else {
            throw APIError(code: "request.malformed", message: "stream is stdout, stderr or all")
        }
        @Sendable func chunks() -> (views: [LogChunkView], failure: ControlResponse?) {
            guard let reply = daemon.ask(.logs(id)) else {
                return (
                    [],
                    .error(
                        503,
                        APIError(code: "node.stopping", message: "the daemon is stopping", retryable: true))
                )
            }
            guard case .logs(let logs) = reply else {
                if case .failure(let status, let error) = reply { return ([], .error(status, error)) }
                return ([], nil)
            }
            var views: [LogChunkView] = []
            for log in logs where wanted == "all" || log.stream == wanted {
                guard case .blob? = daemon.ask(.output(id, name: log.stream)),
                    let bytes = daemon.assemble(log.blob)
                else {
                    return (
                        [],
                        .error(
                            404,
                            APIError(code: "log.unavailable", message: "the log \(log.stream) is not here"))
                    )
                }
                if bytes.isEmpty { continue }
                views.append(
                    LogChunkView(
                        stream: log.stream, epoch: log.epoch, offset: 0,
                        text: String(decoding: bytes, as: UTF8.self),
                        time: log.time))
            }
            return (views, nil)
        }
        if !isFollowing {
            let (views, failure) = chunks()
            return failure ?? .json(views)
        }
        // What a program writes is kept whole and sent when it has ended; until then the stream is quiet.
        let state = FollowState()
        return .events { [unowned daemon] in
            if state.isDone { return nil }
            guard case .job(let view)? = daemon.ask(.job(id, waitMilliseconds: 0, after: nil)) else {
                return nil
            }
            if ["Completed", "Failed", "Cancelled", "Expired"].contains(view.status) {
                state.isDone = true
                let all = chunks().views
                return all.flatMap { ControlResponse.event("log", $0) }
            }
            _ = daemon.ask(
                .job(id, waitMilliseconds: 5_000, after: "\(view.status)/\(view.verification.state)"))
            return ControlResponse.keepAlive
        }
    }

    /// Used by one connection's thread.
    private final class FollowState: @unchecked Sendable {
        var isDone = false
    }

    func events(_ request: ControlRequest) throws -> ControlResponse {
        let hub = daemon.events
        let job = request.query["job"]
        let isFollowing = request.query["follow"] == "1"
        let start = request.query["after"].flatMap { Int($0) } ?? (isFollowing ? hub.latest : 0)
        let cursor = Cursor(start)
        return .events {
            let (events, lost) = hub.events(after: cursor.position)
            var bytes: [UInt8] = []
            if lost > 0, cursor.position > 0 {
                bytes += ControlResponse.event(
                    "dropped",
                    EventView(
                        id: cursor.position + lost, time: "\(SystemClock.now)", event: "dropped",
                        detail: "\(lost) events are lost"))
            }
            for event in events where job.map({ event.jobID?.hasPrefix($0) == true }) ?? true {
                bytes += ControlResponse.event(event.event, id: event.id, event)
            }
            if let last = events.last { cursor.position = last.id }
            if !bytes.isEmpty { return bytes }
            guard isFollowing, hub.wait(after: cursor.position, seconds: 5) else { return nil }
            return ControlResponse.keepAlive
        }
    }

    /// Used by one connection's thread.
    private final class Cursor: @unchecked Sendable {
        var position: Int
        init(_ position: Int) { self.position = position }
    }

    // MARK: The DAG

    func dagLog(_ request: ControlRequest) throws -> ControlResponse {
        let limit = min(10_000, Int(request.query["limit"] ?? "") ?? 100)
        let below = request.query["after"].flatMap { UInt64($0) }
        var author: DID?
        if let text = request.query["author"] {
            let reply = daemon.ask(.resolveNode(text))
            guard case .node(let did)? = reply else { return response(reply) }
            author = did
        }
        var names: [String: String] = [:]
        if case .nodes(let nodes)? = daemon.ask(.nodes) {
            for node in nodes { names[node.did] = node.nodeID }
        }
        do {
            let views: [AnchorView] = try daemon.store.snapshot { reader in
                var views: [AnchorView] = []
                try reader.scan(.arrival, prefix: [], from: [], reversed: true) {
                    _, value throws(StorageError) in
                    guard let cid = try? CID(bytes: value), let stored = try FeedGraph.stored(cid, in: reader)
                    else {
                        return true
                    }
                    let anchor = stored.anchor
                    if let author, anchor.author != author { return true }
                    if let below, anchor.seq >= below { return true }
                    views.append(
                        AnchorView(
                            did: "\(anchor.author)", nodeID: names["\(anchor.author)"], scope: anchor.scope,
                            seq: Int(clamping: anchor.seq), cid: "\(cid)", time: "\(anchor.time.timestamp)",
                            entries: stored.entries.map {
                                AnchorEntryView(cid: "\($0.cid)", kind: RecordPeek.text("kind", in: $0.bytes))
                            }))
                    return views.count < limit
                }
                return views
            }
            return .json(views)
        } catch let error as StorageError {
            return storage(error)
        }
    }

    /// A CAR of one block and all records under it, or of all feeds.
    func dagExport(_ request: ControlRequest) throws -> ControlResponse {
        let only: CID? = try request.query["cid"].map { text throws(APIError) in
            guard let cid = try? CID(text) else {
                throw APIError(code: "request.malformed", message: "\"\(text.prefix(80))\" is not a CID")
            }
            return cid
        }
        do {
            let archive: CAR? = try daemon.store.snapshot { reader in
                var roots: [CID] = []
                var queue: [CID] = []
                if let only {
                    guard try reader.hasBlock(only) else { return nil }
                    roots = [only]
                    queue = [only]
                } else {
                    let graph = try FeedGraph(restoring: reader)
                    roots = graph.frontier.map(\.head.cid)
                    try reader.scan(.arrival, prefix: [], from: [], reversed: true) { _, value in
                        if let cid = try? CID(bytes: value) { queue.append(cid) }
                        return true
                    }
                }
                var seen = Set(queue)
                var blocks: [Block] = []
                while let cid = queue.popLast() {
                    guard let bytes = try reader.block(cid) else { continue }
                    blocks.append(Block(cid: cid, bytes: bytes))
                    guard cid.codec == .dagCBOR, let value = try? IPLDValue(decoding: bytes) else { continue }
                    for link in value.links.reversed() where seen.insert(link).inserted { queue.append(link) }
                }
                return CAR(roots: roots, blocks: blocks)
            }
            guard let archive else {
                return .error(
                    404,
                    APIError(code: "block.unknown", message: "no block \(request.query["cid"] ?? "") is here")
                )
            }
            return .bytes(archive.encoded, contentType: "application/vnd.ipld.car")
        } catch let error as StorageError {
            return storage(error)
        }
    }

    func dagImport(_ request: ControlRequest) throws -> ControlResponse {
        let archive: CAR
        do throws(IPLDError) { archive = try CAR(decoding: request.body) } catch {
            return .error(422, APIError(code: "car.malformed", message: error.message))
        }
        var blocks: [CID: [UInt8]] = [:]
        for block in archive.blocks { blocks[block.cid] = block.bytes }
        var anchors: [(anchor: Anchor, prepared: PreparedAnchor)] = []
        for block in archive.blocks {
            guard let envelope = try? Envelope(decoding: block.bytes), let anchor = try? Anchor(envelope)
            else { continue }
            let entries = anchor.entries.compactMap { blocks[$0] }
            let attached = entries.flatMap { (try? Entry(decoding: $0))?.attachments ?? [] }.compactMap {
                blocks[$0]
            }
            let wire = WireAnchor(envelope: block.bytes, entries: entries, attachments: attached)
            anchors.append(
                (anchor, PreparedFrame.prepare(wire, isKnown: { _ in false }, verifier: Ed25519Verifier())))
        }
        return answer(.importAnchors(anchors.sorted { $0.anchor.time < $1.anchor.time }.map(\.prepared)))
    }

    // MARK: Receipts

    func receiptCAR(_ root: CID, _ records: [Block], _ blobs: [CID]) -> ControlResponse {
        var blocks = records
        var seen = Set(records.map(\.cid))
        let store = daemon.store.blobs
        for blob in blobs {
            guard let parts = ReceiptArchive.blocks(of: blob, block: { try? store.blob($0) }) else {
                return .error(
                    503,
                    APIError(
                        code: "blob.unavailable", message: "the blob \(blob) is not here", retryable: true))
            }
            for part in parts where seen.insert(part.cid).inserted { blocks.append(part) }
        }
        return .bytes(CAR(roots: [root], blocks: blocks).encoded, contentType: "application/vnd.ipld.car")
    }
}
