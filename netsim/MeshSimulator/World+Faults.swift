internal import MeshStorage
internal import MeshCore

extension World {
    /// Begins or ends one fault of the schedule.
    func fault(_ index: Int, isStart: Bool) {
        let fault = plan.faults[index]
        note("fault \(isStart ? "begins" : "ends"): \(fault.line)")
        switch fault.kind {
        case .cut:
            guard isStart else { return }
            for a in fault.nodes {
                for link in nodes[a].openLinks where fault.others.contains(link.other(than: a)) {
                    reset(link)
                }
            }
        case .partition, .oneWay, .clog, .loss, .frameLoss, .duplicates:
            if isStart {
                activeFaults.append(index)
            } else {
                activeFaults.removeAll { $0 == index }
                release()
            }
        case .crash: for node in fault.nodes { crash(nodes[node], isStart: isStart) }
        case .pause:
            for node in fault.nodes {
                nodes[node].pauses += isStart ? 1 : -1
                if !isStart {
                    process(nodes[node])
                    reschedule(nodes[node])
                }
            }
        case .skew:
            for node in fault.nodes {
                nodes[node].clockOffset += isStart ? Int64(fault.amount) : -Int64(fault.amount)
                nodes[node].scheduledDeadline = nil
                reschedule(nodes[node])
            }
        case .slowDisk:
            for node in fault.nodes {
                nodes[node].diskDelay += (isStart ? 1 : -1) * Int64(fault.amount) * Duration.millisecond
            }
        case .lyingDisk:
            for node in fault.nodes {
                nodes[node].isDiskLying = isStart
                nodes[node].hasDiskLied = true
            }
        case .fullDisk:
            for node in fault.nodes {
                nodes[node].disk.isFull = isStart
                nodes[node].blobs.isFull = isStart
            }
        }
    }

    private func crash(_ node: SimulatedNode, isStart: Bool) {
        deaths[node.index] += isStart ? 1 : -1
        if isStart {
            kill(node)
        } else if deaths[node.index] == 0 {
            start(node)
        }
    }
}
