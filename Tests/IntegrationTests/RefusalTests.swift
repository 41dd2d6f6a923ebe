import Foundation
import Glibc
import MeshAPI
import MeshDevnet
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("What a daemon refuses", .tags(.Size.large))
    struct Refusals {
        @Test("a module that cannot run is refused with the reason and the byte, and nothing is published")
        func modules() throws {
            var plan = Cluster.Plan(count: 1)
            plan.settings = { _ in "runtime: { workers: 1, module_bytes_max: 2000 }," }
            try withCluster(plan) { cluster in
                let node = cluster[1]
                let large = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 1993)
                let bad: [(name: String, code: [UInt8], reason: String, byte: Int)] = [
                    ("text", Array("hello, world".utf8), "module.not-wasm", 0),
                    ("component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], "module.component", 6),
                    ("unfinished", [0, 0x61, 0x73, 0x6d, 1], "module.not-wasm", 5),
                    (
                        "import",
                        try Modules.assemble(
                            "(module (import \"env\" \"open_door\" (func)) (func (export \"_start\")))"),
                        "module.unknown-import", 17
                    ),
                    (
                        "entry", try Modules.assemble("(module (func (export \"walk\")))"),
                        "module.no-entry-point", 0
                    ),
                    ("large", large, "module.too-large", 2000),
                ]
                let before = try node.heads()
                for module in bad {
                    let path = cluster.directory + "/\(module.name).wasm"
                    try Data(module.code).write(to: URL(fileURLWithPath: path))
                    let refused = try node.ctl("submit-job", "-w", path, "--auto", "--wait", "-o", "json")
                    #expect(refused.status == 1, "\(module.name): \(refused)")
                    let body =
                        try JSONSerialization.jsonObject(with: Data(refused.errors.utf8)) as? [String: Any]
                    let error = try #require(body?["error"] as? [String: Any])
                    #expect(error["code"] as? String == "job.wasm")
                    #expect((error["hint"] as? String)?.hasPrefix(module.reason) == true, "\(error)")
                    let message = try #require(error["message"] as? String)
                    let byte = module.byte == 0 ? "(at byte " : "(at byte \(module.byte))"
                    #expect(message.contains(byte), "\(message)")
                }
                #expect(try node.jobs().isEmpty)
                #expect(try node.ctl("list", "-o", "json").output == "[]\n")
                #expect(try node.heads() == before)
            }
        }

        @Test("every fault of a configuration is named at once, and nothing is created")
        func configuration() throws {
            try withCluster(.init(count: 2, threshold: 0), isStarted: false) { cluster in
                try cluster.configure(0)
                try cluster[1].start(["--alone"])
                let data = cluster.directory + "/new"
                let text = """
                    {
                        name: 'two',
                        data: '\(data)',
                        identity: '\(cluster.directory)/none.pem',
                        lisen: '127.0.0.1:7420',
                        listen: '\(cluster[1].address)',
                        capacity: { cpu: 'many' },
                    }
                    """
                let path = cluster.directory + "/bad.json5"
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                let refused = try Programs.run(Programs.meshd, ["--config", path])
                #expect(refused.status == 1, "\(refused)")
                let errors = refused.errors
                #expect(errors.contains("lisen: is not a setting") && errors.contains("listen"), "\(errors)")
                #expect(errors.contains("capacity.cpu: must be a whole number, not text"), "\(errors)")
                #expect(errors.contains("there is no key file \(cluster.directory)/none.pem"), "\(errors)")
                #expect(errors.contains("\(cluster[1].address) is already in use"), "\(errors)")
                #expect(
                    errors.split(separator: "\n").allSatisfy {
                        $0.hasPrefix("error: ") || $0.hasPrefix("hint: ")
                    })
                #expect(!FileManager.default.fileExists(atPath: data))
            }
        }

        @Test("a taken port ends a daemon before it creates anything")
        func takenPort() throws {
            try withCluster(.init(count: 2, threshold: 0), isStarted: false) { cluster in
                try cluster.configure(0)
                try cluster[1].start(["--alone"])
                try cluster.configure(1)
                try cluster[2].edit { $0.replacing("127.0.0.1:0", with: cluster[1].address) }
                let before = try FileManager.default.contentsOfDirectory(atPath: cluster[2].directory)
                    .sorted()
                let refused = try Programs.run(Programs.meshd, ["--config", cluster[2].configurationPath])
                #expect(refused.status == 1, "\(refused)")
                #expect(refused.errors.contains("\(cluster[1].address) is already in use"), "\(refused)")
                #expect(refused.errors.contains("hint: "))
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: cluster[2].directory).sorted()
                        == before)
            }
        }

        @Test("a key that others may read is refused with the chmod to run")
        func looseKey() throws {
            try withCluster(.init(count: 1), isStarted: false) { cluster in
                try cluster.configure(0)
                let node = cluster[1]
                #expect(unsafe chmod(node.identityPath, 0o644) == 0)
                let refused = try Programs.run(Programs.meshd, ["--config", node.configurationPath])
                #expect(refused.status == 1, "\(refused)")
                #expect(
                    refused.errors.contains("0644")
                        && refused.errors.contains("chmod 600 \(node.identityPath)"))
                #expect(!FileManager.default.fileExists(atPath: node.directory + "/records"))
                #expect(unsafe chmod(node.identityPath, 0o600) == 0)
                try node.start(["--alone"])
                #expect(try node.stop() == .exited(0))
            }
        }

        @Test("a second daemon on one data directory is refused and the first goes on")
        func secondDaemon() throws {
            try withCluster(.init(count: 1)) { cluster in
                let refused = try Programs.run(Programs.meshd, ["--config", cluster[1].configurationPath])
                #expect(refused.status == 1, "\(refused)")
                #expect(refused.errors.hasPrefix("error: "), "\(refused)")
                #expect(try cluster[1].status().name == "mesh-node-1")
            }
        }
    }
}
