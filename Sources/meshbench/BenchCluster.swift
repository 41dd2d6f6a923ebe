internal import ControlClient
internal import Foundation
internal import MeshAPI

/// Three real daemons on loopback, in a directory of their own, for as long as the value lives.
final class BenchCluster {
    private let directory: String
    private var processes: [Process] = []
    /// The control sockets, the submitter's first.
    private(set) var sockets: [String] = []

    /// Starts them and waits until all are linked and the federation has formed.
    init() throws {
        directory = "/tmp/meshbench-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let names = ["submitter", "executor-1", "executor-2"]
        let members = try names.map { name in
            try Self.output(
                programs.appendingPathComponent("meshctl"),
                ["identity", "create", "--out", "\(directory)/\(name).pem"])
        }
        let list = members.map { "{ did: '\($0)' }" }.joined(separator: ", ")
        var first = ""
        for (index, name) in names.enumerated() {
            let roles = index == 0 ? "'submitter', 'verifier'" : "'executor', 'verifier'"
            // Capacity is what a node offers: these jobs last microseconds, so far more of them fit than
            // there are processors.
            let text = """
                { name: '\(name)', data: '\(directory)/\(name)', identity: '\(directory)/\(name).pem',
                  listen: '127.0.0.1:0', peers: [\(first.isEmpty ? "" : "{ address: '\(first)' }")],
                  roles: [\(roles)], capacity: { cpu: 4096, memory_mib: 1048576 }, runtime: { workers: 1 },
                  federation: { name: 'bench', members: [\(list)], threshold: 2 }, log: { level: 'warning' } }
                """
            let path = "\(directory)/\(name).json5"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let process = Process()
            process.executableURL = programs.appendingPathComponent("meshd")
            process.arguments = ["--config", path]
            try process.run()
            processes.append(process)
            sockets.append("\(directory)/\(name)/meshd.sock")
            let status: NodeStatusView = try Self.poll(sockets[index], "/v1/node") {
                $0.publishingAllowed || index == 0
            }
            if index == 0 { first = status.listenAddress }
        }
        let _: [FederationView] = try Self.poll(sockets[0], "/v1/federations") { $0.first?.complete == true }
        let _: [NodeView] = try Self.poll(sockets[0], "/v1/nodes") { nodes in
            nodes.count == 3 && nodes.allSatisfy { $0.state == "alive" }
        }
    }

    /// Stops the daemons and removes their directory.
    func stop() {
        for process in processes { process.terminate() }
        for process in processes { process.waitUntilExit() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func output(_ program: URL, _ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("\(program.lastPathComponent) \(arguments) failed")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func poll<Value: Decodable>(
        _ socket: String, _ path: String, until condition: (Value) -> Bool
    ) throws -> Value {
        for _ in 0..<200 {
            if let client = try? HTTPControlClient(socketPath: socket),
                let (status, body) = try? client.request("GET", path), status == 200,
                let value = try? JSONDecoder().decode(Value.self, from: Data(body)), condition(value)
            {
                return value
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw BenchFailure("\(path) of \(socket) did not become ready within ten seconds")
    }
}
