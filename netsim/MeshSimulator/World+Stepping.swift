internal import IPLD
internal import MeshCore
internal import MeshEngine
internal import MeshGossip
internal import MeshStorage

// A node's loop: what waits is stepped, committed, and only then said.
extension World {
    func enqueue(_ item: SimulatedNode.Item, _ node: SimulatedNode) {
        guard node.isUp else { return }
        node.inbox.append(item)
        process(node)
    }

    /// Steps the engine with what waits, as far as nothing keeps it from it.
    func process(_ node: SimulatedNode) {
        while node.isUp, node.pauses == 0, !node.isCommitting, !node.inbox.isEmpty {
            guard node.engine != nil else {
                guard let due = node.retryAt, due <= time else {
                    node.inbox = []
                    refuseUnanswered(node)
                    return
                }
                restore(node)
                // The new engine knows no links: it is told of those that stand.
                let known = node.openLinks.map { opened($0, at: node) }
                node.inbox.insert(contentsOf: known.map { .input($0) }, at: 0)
                continue
            }
            // A step may lead to another one of the same node, which then finds no spare and makes its own.
            var batch = spareItems
            spareItems = []
            swap(&batch, &node.inbox)
            if batch.count > 512 {
                node.inbox = Array(batch[512...])
                batch.removeLast(batch.count - 512)
            }
            step(node, batch)
            batch.removeAll(keepingCapacity: true)
            spareItems = batch
        }
        reschedule(node)
    }

    private func step(_ node: SimulatedNode, _ batch: [SimulatedNode.Item]) {
        guard let engine = node.engine else { return }
        let now = node.now(time)
        var inputs = spareInputs
        spareInputs = []
        defer {
            inputs.removeAll(keepingCapacity: true)
            spareInputs = inputs
        }
        for item in batch {
            switch item {
            case .input(let input): inputs.append(input)
            case .frame(let link, let frame):
                guard engine.admits(frame.type, byteCount: frame.body.count, on: link.peerLink, now: now)
                else { continue }
                let prepared = frame.prepared(by: verifier, among: common) { engine.isKnown($0) }
                inputs.append(.frame(link.peerLink, prepared))
            }
        }
        let isIdle = node.inbox.isEmpty
        statistics.steps += 1
        let effects: [EngineEffect]
        do throws(StorageError) {
            effects = try node.disk.write { writer throws(StorageError) in
                try engine.step(inputs, now: now, isIdle: isIdle, storage: writer, blobs: node.blobs)
            }
        } catch {
            note("\(node.name) cannot write: \(error.message)")
            // The transaction is gone, with the steps that shared it, and the engine with it.
            node.disk.crash()
            node.engine = nil
            history.forgetStatus(of: node.index)
            refuseUnanswered(node)
            retry(node)
            return
        }
        if engine.mustPersist {
            commit(node, effects)
        } else {
            for effect in effects { perform(effect, of: node) }
            if !node.isSyncScheduled, node.disk.unsyncedCount > 0 {
                node.isSyncScheduled = true
                queue.push(.sync(node: node.index, life: node.life), at: time + 20 * Duration.millisecond)
            }
        }
    }

    /// Makes everything durable; what was decided is said afterwards.
    private func commit(_ node: SimulatedNode, _ effects: [EngineEffect]) {
        let span = scenario.sync.draw(&node.generator) + node.diskDelay
        guard span > 0 else {
            committed(node, effects)
            return
        }
        node.isCommitting = true
        queue.push(.committed(node: node.index, life: node.life, effects), at: time + span)
    }

    func committed(_ node: SimulatedNode, _ effects: [EngineEffect]) {
        node.isCommitting = false
        if !node.isDiskLying { node.disk.sync() }
        for effect in effects { perform(effect, of: node) }
        process(node)
    }

    func sync(_ node: SimulatedNode) {
        node.isSyncScheduled = false
        guard !node.isCommitting, node.disk.unsyncedCount > 0, node.engine != nil else { return }
        if node.pauses > 0 {
            node.isSyncScheduled = true
            queue.push(.sync(node: node.index, life: node.life), at: time + 20 * Duration.millisecond)
            return
        }
        commit(node, [])
    }

    func deadline(_ node: SimulatedNode, _ life: Int) {
        guard node.life == life, node.isUp else { return }
        if node.scheduledDeadline.map({ $0 <= time }) ?? false { node.scheduledDeadline = nil }
        // What waits brings the deadline along, once nothing keeps the node from it.
        guard node.pauses == 0, !node.isCommitting else { return }
        if node.engine == nil {
            if node.retryAt.map({ $0 <= time }) ?? false { enqueue(.input(.deadlineReached), node) }
            return
        }
        if let due = node.engine?.nextDeadline, due <= node.now(time) {
            enqueue(.input(.deadlineReached), node)
        } else {
            reschedule(node)
        }
    }

    /// Sees to it that the engine's next deadline is delivered.
    func reschedule(_ node: SimulatedNode) {
        guard node.isUp, node.pauses == 0, !node.isCommitting, let due = node.engine?.nextDeadline
        else {
            return
        }
        let at = max(time + Duration.millisecond, node.time(of: due))
        if let known = node.scheduledDeadline, known <= at { return }
        node.scheduledDeadline = at
        queue.push(.deadline(node: node.index, life: node.life), at: at)
    }
}
