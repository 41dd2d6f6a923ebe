import ExecutionDocuments
import ExecutionStore
import Foundation
import MeshCore
import MeshTestSupport
import Synchronization

let noon = Timestamp("2026-11-21T12:00:00.000Z") ?? Timestamp(milliseconds: 0)

/// A store in a folder of its own, whose clock goes on by a second with each look.
final class Bench: Sendable {
    let directory: TemporaryDirectory
    let repairs = Mutex<[LogRepair]>([])
    private let clock = Mutex(noon)

    init() throws { directory = try TemporaryDirectory() }

    var root: String { directory.path }

    func open() throws -> ExecutionStore {
        try ExecutionStore(
            root: root,
            now: { [self] in
                clock.withLock {
                    $0 = $0 + 1000
                    return $0
                }
            }, onRepair: { [self] repair in repairs.withLock { $0.append(repair) } })
    }

    var logPath: String { directory.file(".spl/exec/log") }

    func logLines() throws -> [String] {
        try String(contentsOfFile: logPath, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    func files(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.file(path))) ?? []).sorted()
    }
}

func job() throws -> ProtocolName { try ProtocolName("mesh.job") }
let place = (try? ContextPath("/projects/a")) ?? .root

/// The kind of failure of what is run, or `nil` where it does not fail.
func failure(_ run: () throws -> Void) -> ExecutionFailure? {
    do { try run() } catch { return (error as? ExecutionError)?.code }
    return nil
}

func value(_ json: String) throws -> DocumentValue { try DocumentValue(decoding: Array(json.utf8)) }
