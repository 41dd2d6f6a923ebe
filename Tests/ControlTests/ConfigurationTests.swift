import Foundation
import IdentityFiles
import JSON5
import MeshCore
import MeshCrypto
import MeshDaemon
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("MeshConfiguration", .tags(.Size.small))
struct ConfigurationTests {
    private static let did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

    private func read(_ text: String, directory: String = "/etc/mesh") throws -> MeshConfiguration {
        try MeshConfiguration(text: text, directory: directory, checkingFiles: false)
    }

    private func faults(_ text: String) -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let error as ConfigurationError {
            return error.faults.map { "\($0.path): \($0.message)" }
        } catch {
            return ["\(error)"]
        }
    }

    @Test("an empty object is a node with every default")
    func defaults() throws {
        let configuration = try read("{}")
        #expect(configuration.name == "mesh-node")
        #expect(configuration.dataDirectory == "/etc/mesh")
        #expect(configuration.identityPath == "/etc/mesh/identity.pem")
        #expect(configuration.controlSocketPath == "/etc/mesh/meshd.sock")
        #expect(configuration.listen == "127.0.0.1:7420")
        #expect(configuration.roles == [.submitter, .executor, .verifier])
        #expect(configuration.federation == .none)
        #expect(configuration.admission.mode == .open)
        #expect(configuration.capacity.cpu >= 1)
    }

    @Test("JSON5 comments, unquoted keys, single quotes, trailing commas and hexadecimal are read")
    func json5() throws {
        let configuration = try read(
            """
            // a node
            {
                name: 'node\\u002d1', /* in the middle */ "listen": '[::1]:0',
                price: { compute: 0x10, },
                labels: { 'disk': "s\\
            sd", },
            }
            """)
        #expect(configuration.name == "node-1")
        #expect(configuration.listen == "[::1]:0")
        #expect(configuration.computePrice == 16)
        #expect(configuration.labels == ["disk": "ssd"])
    }

    @Test("relative paths are relative to the file, absolute ones stay")
    func paths() throws {
        let configuration = try read(
            "{ data: './store', identity: '/k/id.pem', control: { socket: 'c.sock' } }")
        #expect(configuration.dataDirectory == "/etc/mesh/store")
        #expect(configuration.identityPath == "/k/id.pem")
        #expect(configuration.controlSocketPath == "/etc/mesh/c.sock")
    }

    @Test("an address to dial from may be of either family, and is the system's choice by default")
    func dialFrom() throws {
        #expect(try read("{}").dialFrom == nil)
        #expect(try read("{ dial_from: '10.0.0.7' }").dialFrom == "10.0.0.7")
        #expect(try read("{ dial_from: '[fd00::7]' }").dialFrom == "[fd00::7]")
    }

    @Test("the members of a federation are sorted, so that their order in the file does not matter")
    func federation() throws {
        let other = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
        func text(_ members: [String]) -> String {
            "{ federation: { name: 'f', threshold: 1, members: ["
                + members.map { "{ did: '\($0)' }," }.joined() + "] } }"
        }
        let first = try read(text([Self.did, other]))
        #expect(first.federation == (try read(text([other, Self.did]))).federation)
        guard case .genesis(let name, let members, let threshold) = first.federation else {
            Issue.record("not a genesis federation")
            return
        }
        #expect(name == "f")
        #expect(members.count == 2)
        #expect(threshold == 1)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let text: String
        let faults: [String]
        var testDescription: String { text }
    }

    @Test(
        "each fault is reported at its path",
        arguments: [
            Wrong(text: "{ nmae: 'x' }", faults: ["nmae: is not a setting; did you mean “name”?"]),
            Wrong(text: "{ name: 'a', name: 'b' }", faults: ["name: stands here twice"]),
            Wrong(text: "{ name: 7 }", faults: ["name: must be text, not a whole number"]),
            Wrong(
                text: "{ name: 'a b' }", faults: ["name: must have 1 to 64 bytes, without blanks or slashes"]),
            Wrong(text: "{ dial_from: 'here' }", faults: ["dial_from: “here” is not an IP address"]),
            Wrong(
                text: "{ dial_from: '10.0.0.7:80' }",
                faults: ["dial_from: “10.0.0.7:80” is not an IP address"]),
            Wrong(text: "{ listen: 'here' }", faults: ["listen: “here” is not host:port"]),
            Wrong(text: "{ listen: '1.2.3.4:70000' }", faults: ["listen: “1.2.3.4:70000” is not host:port"]),
            Wrong(
                text: "{ peers: [{ address: 'a:0' }] }", faults: ["peers[0].address: “a:0” is not host:port"]),
            Wrong(text: "{ peers: [{}] }", faults: ["peers[0]: lacks its address"]),
            Wrong(text: "{ peers: 'a:1' }", faults: ["peers: must be a list, not text"]),
            Wrong(
                text: "{ peers: [{ address: 'a:1' }, { address: 'a:2', did: 'did:web:x' }] }",
                faults: ["peers[1].did: “did:web:x” is not a did:key of an Ed25519 key (did:key:z6Mk…)"]),
            Wrong(
                text: "{ admission: { mode: 'opne' } }",
                faults: ["admission.mode: “opne” is none of open, allowlist, invite; did you mean “open”?"]),
            Wrong(
                text: "{ roles: ['executer'] }",
                faults: [
                    "roles[0]: “executer” is none of submitter, executor, verifier; did you mean “executor”?"
                ]),
            Wrong(
                text: "{ capacity: { cpu: -1, memory_mb: 5 } }",
                faults: [
                    "capacity.cpu: must be between 0 and 4096, not -1",
                    "capacity.memory_mb: is not a setting; did you mean “memory_mib”?",
                ]),
            Wrong(
                text: "{ price: { compute: 1.5 } }",
                faults: ["price.compute: must be a whole number, not a fraction"]),
            Wrong(text: "{ price: 5 }", faults: ["price: must be an object, not a whole number"]),
            Wrong(
                text: "{ store: { archive: 'yes' } }",
                faults: ["store.archive: must be true or false, not text"]),
            Wrong(text: "{ labels: { a: 1 } }", faults: ["labels.a: must be text, not a whole number"]),
            Wrong(
                text: "{ federation: { name: 'f' } }",
                faults: [
                    "federation: lacks members (or trust, the CID of a bundle)",
                    "federation: lacks threshold (or trust, the CID of a bundle)",
                ]),
            Wrong(
                text: "{ federation: { name: 'f', threshold: 1, members: [{ did: '\(did)' }] } }",
                faults: [
                    "federation.threshold: 1 of 1 members cannot be reached, since an executor never counts for itself; 0 is the most"
                ]),
            Wrong(
                text:
                    "{ federation: { name: 'f', threshold: 1, members: [{ did: '\(did)' }, { did: '\(did)' }, {}] } }",
                faults: [
                    "federation.threshold: 1 of 1 members cannot be reached, since an executor never counts for itself; 0 is the most",
                    "federation.members[1].did: is a member already", "federation.members[2]: lacks its did",
                ]),
            Wrong(
                text: "{ federation: { trust: 'bafk' } }",
                faults: ["federation.trust: “bafk” is not the CID of a bundle"]),
            Wrong(text: "[]", faults: [": must be an object, not a list"]),
            Wrong(text: "{ name: node }", faults: [": “node” is not a value; text needs quotes"]),
            Wrong(text: "{ name 'x' }", faults: [": a colon is missing after “name”"]),
            Wrong(text: "{ name: 'x' listen: 'y' }", faults: [": a comma or “}” is missing"]),
            Wrong(text: "{ name: 'x", faults: [": this text does not end on its line"]),
            Wrong(text: "{ /* ", faults: [": this comment does not end"]),
            Wrong(text: "{} x", faults: [": nothing may follow the value"]),
            Wrong(text: "", faults: [": a value is missing"]),
            Wrong(text: "{ price: { compute: 1x } }", faults: [": “1x” is not a number"]),
        ])
    func faultTable(_ wrong: Wrong) {
        #expect(faults(wrong.text) == wrong.faults)
    }

    @Test("all faults of a file are reported at once, in its order, with their lines")
    func allAtOnce() {
        let text = "{\n  nmae: 'x',\n  listen: 5,\n  log: { level: 'loud' },\n}"
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.faults.map(\.path) == ["nmae", "listen", "log.level"])
        #expect(error?.faults.map { $0.position?.line } == [2, 3, 4])
        #expect(error?.description.split(separator: "\n").count == 3)
    }

    @Test("a socket path that no address holds is a fault", arguments: [107, 108])
    func socketPath(_ count: Int) {
        let path = "/" + String(repeating: "s", count: count - 1)
        let found = faults("{ control: { socket: '\(path)' } }")
        #expect(
            found
                == (count <= 107
                    ? [] : ["control.socket: the path has 108 bytes, and a socket's may have 107"]))
    }

    @Test("deep nesting is refused, not followed")
    func nesting() {
        let text = "{ peers: " + String(repeating: "[", count: 100_000)
        #expect(faults(text) == [": this is nested too deeply"])
    }

    @Test("a missing key file is a fault that names the remedy")
    func missingKey() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: ConfigurationError.self) {
            try MeshConfiguration(text: "{}", directory: directory.path)
        }
        #expect(error?.faults.map(\.path) == ["identity"])
        #expect(
            error?.description.contains("meshctl identity create --out \(directory.path)/identity.pem")
                == true)
    }

    @Test("the example configurations are without fault", arguments: ["single", "submitter", "executor"])
    func examples(_ name: String) throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = package.appendingPathComponent("configs/\(name).json5").path
        let configuration = try MeshConfiguration.load(path, checkingFiles: false)
        #expect(configuration.name == "mesh-\(name)")
        #expect(configuration.roles.contains(.executor) == (name != "submitter"))
    }

    @Test("init writes a key and a configuration that loads, and never overwrites either")
    func initialise() throws {
        let directory = try TemporaryDirectory()
        var options = ConfigurationInit.Options()
        options.dataDirectory = directory.file("node")
        options.name = "it's-me"
        options.peers = ["127.0.0.1:7421"]
        options.federationName = "friends"
        options.members = ["\(Self.did)=north", "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"]
        options.threshold = 1
        let outcome = try ConfigurationInit.run(options)
        let configuration = try MeshConfiguration.load(outcome.configurationPath)
        #expect(configuration.name == "it's-me")
        #expect(configuration.peers.map(\.address) == ["127.0.0.1:7421"])
        guard case .genesis("friends", let members, 1) = configuration.federation else {
            Issue.record("the federation is not as asked")
            return
        }
        #expect(members.first { $0.did.description == Self.did }?.organisation == "north")
        #expect(DID(outcome.did)?.publicKey == (try IdentityFile.load(outcome.identityPath)).publicKey)
        #expect(throws: ConfigurationError.self) { try ConfigurationInit.run(options) }
        try FileManager.default.removeItem(atPath: outcome.configurationPath)
        let second = try ConfigurationInit.run(options)
        #expect(second.did == outcome.did)
        #expect(second.isIdentityKept)
    }

    @Test("init with a wrong flag leaves nothing behind")
    func initialiseWrongly() throws {
        let directory = try TemporaryDirectory()
        var options = ConfigurationInit.Options()
        options.dataDirectory = directory.file("node")
        options.listen = "nowhere"
        #expect(throws: ConfigurationError.self) { try ConfigurationInit.run(options) }
        #expect(!FileManager.default.fileExists(atPath: directory.file("node")))
    }
}

@Suite("IdentityFile", .tags(.Size.small))
struct IdentityFileTests {
    private func code(_ body: () throws -> Void) -> IdentityFileFailure? {
        do {
            try body()
            return nil
        } catch {
            return (error as? IdentityFileError)?.code
        }
    }

    @Test("a made key is read again, from a file that only its owner can open")
    func roundTrip() throws {
        let path = try TemporaryDirectory().keeping { $0.file("key.pem") }
        let made = try IdentityFile.create(path.value)
        let attributes = try FileManager.default.attributesOfItem(atPath: path.value)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try IdentityFile.load(path.value).publicKey == made.publicKey)
        #expect(IdentityFile.did(of: made).hasPrefix("did:key:z6Mk"))
        #expect(code { _ = try IdentityFile.create(path.value) } == .exists)
    }

    @Test("a looser key mode is refused with the chmod to run", arguments: [0o640, 0o604, 0o660, 0o644])
    func looseMode(_ mode: Int) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("key.pem")
        _ = try IdentityFile.create(path)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        do {
            _ = try IdentityFile.load(path)
            Issue.record("the key was read")
        } catch {
            #expect(error.code == .looseMode)
            #expect(error.hint == "chmod 600 \(path)")
        }
    }

    @Test("what is not a key is refused")
    func notAKey() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("key.pem")
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data("hello".utf8), attributes: [.posixPermissions: 0o600]))
        #expect(code { _ = try IdentityFile.load(path) } == .notAKey)
        #expect(code { _ = try IdentityFile.load(directory.file("none.pem")) } == .missing)
        #expect(code { _ = try IdentityFile.load(directory.path) } == .notAKey)
    }
}

extension TemporaryDirectory {
    /// A value made from the directory, with the directory kept as long as the value is.
    fileprivate func keeping<Value>(_ make: (TemporaryDirectory) -> Value) -> (
        value: Value, directory: TemporaryDirectory
    ) {
        (make(self), self)
    }
}
