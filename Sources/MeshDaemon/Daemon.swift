internal import ControlServer
internal import IPLD
internal import IdentityFiles
internal import MeshAPI
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshEngine
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage
internal import MeshStore
internal import MeshTransport
internal import JobRuntime
internal import WasmRuntime

import Foundation

/// What a daemon is told besides its configuration.
struct DaemonFlags: Sendable {
    /// Publish without having asked a peer for our own frontier.
    var alone = false
    /// Make all projections again before starting.
    var rebuild = false
    /// What to do wrong, for tests of others.
    var misbehaviour: Misbehaviour?
}

/// A running node: the engine's loop with everything that performs its effects.
///
///     transport ─┐                        ┌─▶ transport
///     runtime  ──┼─▶ EngineLoop ─ commit ─┼─▶ runtime
///     control  ──┘                        └─▶ replies
final class Daemon: @unchecked Sendable {
    // Sendable because the stored parts are, and the optionals are written once before the threads
    // that read them start.

    static let version = "0.1.0"

    let configuration: MeshConfiguration
    let identity: Identity
    let log: Logger
    let store: Store
    let pool: WasmWorkerPool?
    /// Runs jobs of every language; modules in ``pool``.
    let runtime: JobRuntime?
    /// What the engine is told of the configuration.
    let settings: NodeSettings
    let replies = PendingReplies()
    let events = EventHub()
    let modules = CheckedModules()
    let faults: WireFaults
    let misdeeds: Misdeeds?
    /// What answers the graph's routes; set before the control socket opens.
    private(set) var graph: (any GraphService)?
    /// The open watches; set before the engine's loop starts.
    private(set) var watches: GraphWatches?
    private(set) var transport: TLSTransport?
    private var runner: JobRunner?
    private var loop: EngineLoop?
    /// Signalled when the loop has ended.
    private let loopEnd = DispatchSemaphore(value: 0)
    private var server: HTTPControlServer?
    private var misdeedTimer: (any DispatchSourceTimer)?
    private let started = SystemClock.now
    private let bytesAtStart: Int
    private let blobWriter = DispatchQueue(label: "mesh.blobs")

    /// Opens everything; nothing is served yet.
    ///
    /// - Throws: One sentence for whoever started the daemon.
    init(_ configuration: MeshConfiguration, identity: Identity, flags: DaemonFlags, log: Logger) throws {
        self.configuration = configuration
        self.identity = identity
        self.log = log
        let faults = WireFaults(log: log)
        self.faults = faults
        misdeeds = flags.misbehaviour.map { Misdeeds($0) }
        // The port first: when it is taken, nothing has been created yet.
        let inbox = Inbox()
        transport = try Self.openTransport(configuration, identity, inbox, faults)
        do {
            store = try Store(
                directory: configuration.dataDirectory,
                options: StoreOptions(mapBytesMax: configuration.store.mapByteCountMax))
            let statistics = store.statistics()
            bytesAtStart = statistics.usedBytes + statistics.blobBytes
            pool = Self.openPool(configuration, log)
            runtime = pool.map(JobRuntime.init)
            settings = try Self.settings(
                configuration, listening: transport?.listeningAddress, engine: pool?.engine,
                alone: flags.alone)
        } catch {
            transport?.shutdown()
            throw error
        }
        try start(flags, inbox)
    }

    private func start(_ flags: DaemonFlags, _ inbox: Inbox) throws {
        let settings = settings
        let identity = identity
        if flags.rebuild {
            let now = SystemClock.now
            try store.write { writer throws(StorageError) in
                var engine = try NodeEngine(
                    settings: settings, signer: identity, verifier: Ed25519Verifier(), now: now,
                    restoring: writer)
                try engine.rebuild(now: now, storage: writer, blobs: store.blobs)
            }
            log(.info, "projections rebuilt")
        }
        let watches = makeWatches()
        self.watches = watches
        let loop = EngineLoop(
            store: store, log: log,
            makeEngine: { now, writer throws(StorageError) in
                try NodeEngine(
                    settings: settings, signer: identity, verifier: Ed25519Verifier(), now: now,
                    restoring: writer)
            }, perform: { [unowned self] effect in perform(effect) })
        self.loop = loop
        if let runtime {
            runner = JobRunner(
                runtime: runtime, blobs: store.blobs, log: log, misbehaviour: misdeeds?.kind
            ) { inputs in
                loop.enqueue(inputs.map { .input($0) })
            }
        }
        let loopEnd = loopEnd
        let thread = Thread {
            loop.run()
            loopEnd.signal()
        }
        thread.name = "mesh.engine"
        thread.stackSize = 8 << 20
        thread.start()
        inbox.open(loop)
        graph = NodeGraph(daemon: self, watches: watches)
        do {
            server = try HTTPControlServer(
                socketPath: configuration.controlSocketPath, handler: ControlRoutes(daemon: self))
        } catch {
            stop()
            throw error
        }
        misdeedTimer = startMisdeeds()
        log(
            .info,
            "\(configuration.name) (\(identity.did)) listens on \(transport?.listeningAddress.map { "\($0)" } ?? "nothing"), control on \(configuration.controlSocketPath)"
        )
    }

    /// How long a store that takes no writes may keep the goodbye from being said.
    private static let goodbyeSeconds = 3.0

    /// Stops everything in the order in which nothing waits for what is gone.
    ///
    /// The others are told before the links are closed: they need not find out by themselves.
    func stop() {
        misdeedTimer?.cancel()
        replies.stop()
        events.stop()
        graph?.stop()
        watches?.stop()
        server?.stop()
        if let loop {
            loop.enqueue([.input(.leaving), .stop])
            if loopEnd.wait(timeout: .now() + Self.goodbyeSeconds) == .timedOut {
                log(.warning, "stopping without a goodbye: the engine does not answer")
            }
        }
        transport?.shutdown()
        runner?.stop()
        pool?.shutdown()
    }

    // MARK: Room

    /// What is free on the disk, and for how many days it lasts at the growth since the start.
    ///
    /// Feeds are kept whole, so a node that nobody looks after fills its disk one day. The first minute
    /// says nothing about the days to come.
    func space(using bytes: Int) -> (free: Int?, days: Int?) {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: configuration.dataDirectory)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.intValue else { return (nil, nil) }
        let grown = bytes - bytesAtStart
        let seconds = Double(SystemClock.now - started) / 1000
        guard grown > 0, seconds > 60 else { return (free, nil) }
        return (free, Int(min(36_500, Double(free) / (Double(grown) / seconds) / 86_400)))
    }

    // MARK: Asking

    /// Asks the engine and waits.
    func ask(_ command: ControlCommand) -> ControlReply? {
        guard let loop else { return nil }
        return replies.ask(command) { loop.enqueue(.control($0, command)) }
    }

    private func makeWatches() -> GraphWatches {
        let store = store
        let log = log
        return GraphWatches(
            GraphWatchHost(
                actor: "\(identity.did)", snapshot: { body in try store.snapshot(body) },
                ask: { [unowned self] command in ask(command) }, now: { SystemClock.now },
                warn: { log(.warning, $0) }))
    }

    // MARK: Effects

    private func perform(_ effect: EngineEffect) {
        switch effect {
        case .send(let links, let type, let body): send(type, body, to: links)
        case .dial(let address, let did):
            do throws(TransportError) {
                transport?.dial(try SocketAddress(address), expecting: did)
            } catch {
                log(.warning, "cannot dial \(address): \(error)")
                loop?.enqueue(.dialFailed(address: address, isRefused: false))
            }
        case .close(let link, let code, let text):
            log(.info, "closing link \(link.rawValue): \(code): \(text)")
            transport?.close(
                LinkID(rawValue: link.rawValue), farewell: Frame.bye(code: code, text: text).encoded)
        case .run(let order):
            if let runner {
                runner.start(order)
            } else {
                let now = SystemClock.now
                loop?.enqueue(
                    .runFinished(
                        order.ticket,
                        RunReport(
                            outcome: RunOutcome(.engine, trap: "this node has no runtime"),
                            metering: Metering(),
                            outputs: [], logs: [], started: now, finished: now)))
            }
        case .storeBlobs(let blocks):
            blobWriter.async { [self] in
                do throws(StorageError) {
                    try store.blobs.putBlobs(blocks)
                    loop?.enqueue(.blobsStored(blocks.map(\.cid)))
                } catch {
                    log(.error, "a fetched blob could not be stored: \(error)")
                    loop?.enqueue(.blobsNotStored(blocks.map(\.cid)))
                }
            }
        case .reply(let request, let reply): replies.fulfil(request, reply)
        case .log(let level, let message): log(level, message)
        case .foreignEntry: break
        case .graphChanged(let touched): watches?.changed(touched)
        case .event(let kind, let job, let node, let cid, let detail):
            events.add(kind, job: job, node: node, cid: cid, detail: detail)
        }
    }

    // MARK: Opening

    /// Holds the transport's events until the loop is there.
    final class Inbox: @unchecked Sendable {
        // Sendable because everything is behind `lock`.
        private let lock = NSLock()
        private var waiting: [EngineLoop.Item] = []
        private var loop: EngineLoop?

        func put(_ items: [EngineLoop.Item]) {
            lock.lock()
            defer { lock.unlock() }
            if let loop { loop.enqueue(items) } else { waiting += items }
        }

        func open(_ loop: EngineLoop) {
            lock.lock()
            defer { lock.unlock() }
            self.loop = loop
            loop.enqueue(waiting)
            waiting = []
        }
    }

    private static func openTransport(
        _ configuration: MeshConfiguration, _ identity: Identity, _ inbox: Inbox, _ faults: WireFaults
    ) throws -> TLSTransport {
        var options = TransportConfiguration(
            identity: identity, listen: try SocketAddress(configuration.listen),
            frameByteCountMax: { FrameType(rawValue: $0)?.byteCountMax })
        options.dialFrom = try configuration.dialFrom.map { try SocketAddress($0 + ":0") }
        options.droppable = { FrameType(rawValue: $0)?.isDroppable ?? false }
        // Who comes with a ticket must connect to show it: then the engine decides whose feeds are stored.
        if configuration.admission.mode == .allowlist {
            var allowed = Set(configuration.admission.allow)
            if case .genesis(_, let members, _) = configuration.federation {
                allowed.formUnion(members.map(\.did))
            }
            allowed.formUnion(configuration.peers.compactMap(\.did))
            let list = allowed
            options.admits = { list.contains($0) }
        }
        return try TLSTransport(options) { events in
            for event in events {
                switch event {
                case .linkClosed(let link, let peer, let reason):
                    faults.note(reason, peer: peer, from: "\(link)")
                case .refused(let address, let failure): faults.note(failure, peer: nil, from: "\(address)")
                default: break
                }
            }
            inbox.put(
                events.compactMap { event in
                    switch event {
                    case .linkOpened(let link, let peer, let address, let outbound):
                        .input(
                            .linkOpened(
                                PeerLink(rawValue: link.rawValue), peer: peer, address: "\(address)",
                                outbound: outbound))
                    case .frame(let link, let type, let body):
                        FrameType(rawValue: type).map { .frame(PeerLink(rawValue: link.rawValue), $0, body) }
                    case .linkClosed(let link, _, let reason):
                        .input(
                            .linkClosed(PeerLink(rawValue: link.rawValue), isOrderly: reason.isOrderlyEnd))
                    case .dialFailed(let address, let error):
                        .input(
                            .dialFailed(
                                address: "\(address)", isRefused: error.code == .connectionRefused))
                    case .refused: nil
                    }
                })
        }
    }

    private static func openPool(_ configuration: MeshConfiguration, _ log: Logger) -> WasmWorkerPool? {
        guard configuration.roles.contains(.executor) || configuration.roles.contains(.verifier) else {
            return nil
        }
        var options = WasmRuntimeConfiguration()
        options.libraryPath = configuration.runtime.wasmtimeLibraryPath
        options.workers = configuration.runtime.workers
        options.moduleBytesMax = configuration.runtime.moduleByteCountMax
        options.compileMillisecondsMax = configuration.runtime.compileMillisecondsMax
        do throws(WasmRuntimeError) {
            return try WasmWorkerPool(options)
        } catch {
            log(.warning, "this node runs no jobs: \(error)")
            return nil
        }
    }

    static func settings(
        _ configuration: MeshConfiguration, listening: SocketAddress?, engine: EngineDescription?, alone: Bool
    ) throws -> NodeSettings {
        var settings = NodeSettings(name: configuration.name)
        settings.roles = configuration.roles.compactMap { NodeProfile.Role(rawValue: $0.rawValue) }
        settings.addresses =
            configuration.advertise.isEmpty ? listening.map { ["\($0)"] } ?? [] : configuration.advertise
        settings.capacity = NodeProfile.Capacity(
            cpu: UInt64(configuration.capacity.cpu), memoryMiB: UInt64(configuration.capacity.memoryMiB),
            storageMiB: UInt64(configuration.capacity.storageMiB))
        settings.computePrice = UInt64(configuration.computePrice)
        settings.location = configuration.location
        settings.labels = configuration.labels
        settings.peers = configuration.peers.map { NodeSettings.Peer(address: $0.address, did: $0.did) }
        switch configuration.admission.mode {
        case .open: break
        case .allowlist: settings.admission = .allowlist(configuration.admission.allow)
        case .invite: settings.admission = .invite(allow: configuration.admission.allow)
        }
        switch configuration.federation {
        case .none: break
        case .genesis(let name, let members, let threshold):
            settings.federation = try FederationBundle.genesis(
                name: name, members: members.map { .init(did: $0.did, organisation: $0.organisation) },
                threshold: UInt64(threshold))
        case .pinned(let cid): settings.trust = cid
        }
        settings.invite = configuration.admission.invite.flatMap {
            SignedInvite(text: $0, verifier: Ed25519Verifier())?.bytes
        }
        settings.engine = engine
        settings.alone = alone
        settings.seed = UInt64.random(in: .min ... .max)
        return settings
    }
}
