internal import JSON5
internal import CommandLineArguments
internal import ControlServer
internal import IdentityFiles
internal import MeshCore
internal import MeshEngine
internal import MeshIdentity
internal import MeshTransport

import Foundation

/// The program `meshd`: reads its command line, starts a node and waits for a signal.
public enum DaemonProgram {
    static let command = Command(
        "meshd", "Run a node of the mesh",
        discussion:
            "`meshd init` writes a configuration and a key. SIGINT and SIGTERM stop the node cleanly.",
        flags: [
            Flag("config", .text("FILE"), "The configuration that `meshd init` wrote"),
            Flag("rebuild", .toggle, "Make all projections again from the feeds before starting"),
            Flag("alone", .toggle, "Publish without asking a peer for this node's own feed first"),
            Flag(
                "misbehave", .choice(Misbehaviour.allCases.map(\.rawValue)),
                "Do wrong, to test others against it"),
            Flag("i-am-testing", .toggle, "Confirms --misbehave"),
        ],
        examples: ["meshd init --data ./node-1 --name mesh-node-1", "meshd --config ./node-1/meshd.json5"])

    /// Runs the program.
    ///
    /// - Parameter arguments: The words behind the program's name.
    /// - Returns: The exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        let isInit = arguments.first == "init"
        let program =
            isInit
            ? Command("meshd", command.summary, subcommands: [ConfigurationInit.command]) : command
        do {
            switch try CommandLineParser(program: program).parse(arguments) {
            case .help(let text): print(text)
            case .version: print("meshd \(Daemon.version)")
            case .run(let parsed): return isInit ? initialise(parsed) : try start(parsed)
            }
            return 0
        } catch let error as UsageError {
            complain(error.message, hint: error.hint)
            return UsageError.exitStatus
        } catch {
            complain("\(error)", hint: nil)
            return 1
        }
    }

    private static func complain(_ text: String, hint: String?) {
        var lines = text.split(separator: "\n").map { "error: \($0)\n" }.joined()
        if let hint { lines += "hint: \(hint)\n" }
        FileHandle.standardError.write(Data(lines.utf8))
    }

    private static func initialise(_ arguments: ParsedArguments) -> Int32 {
        do {
            let outcome = try ConfigurationInit.run(.init(arguments))
            print(outcome.did)
            for note in outcome.notes { FileHandle.standardError.write(Data("\(note)\n".utf8)) }
            FileHandle.standardError.write(
                Data(
                    "wrote \(outcome.configurationPath)\nstart it with: meshd --config \(outcome.configurationPath)\n"
                        .utf8))
            return 0
        } catch {
            complain("\(error)", hint: nil)
            return 1
        }
    }

    private static func start(_ arguments: ParsedArguments) throws -> Int32 {
        guard let path = arguments.text("config") else {
            throw UsageError("meshd needs --config FILE", hint: "meshd init writes one")
        }
        let misbehaviour = try misbehaviour(arguments)
        // Before any thread is made, so that every thread inherits it: signals are taken by `sigwait`.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        // A full disk must be an error of `write`, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)

        let configuration: MeshConfiguration
        do throws(ConfigurationError) {
            configuration = try MeshConfiguration.load(path)
        } catch {
            // What can be found out without creating anything is said in the same breath.
            complain(error.description + portFault(path).map { "\n" + $0 }.joined(), hint: nil)
            return 1
        }
        let log = Logger(
            level: LogLevel(rawValue: configuration.log.level.rawValue) ?? .info,
            isJSON: configuration.log.format == .json, name: configuration.name)
        let daemon: Daemon
        do {
            let key = try IdentityFile.load(configuration.identityPath)
            daemon = try Daemon(
                configuration, identity: Identity(key),
                flags: DaemonFlags(
                    alone: arguments.has("alone"), rebuild: arguments.has("rebuild"),
                    misbehaviour: misbehaviour),
                log: log)
        } catch let error as TransportError {
            complain("listen: \(error.message)", hint: error.hint)
            return 1
        } catch let error as ControlError {
            complain("control.socket: \(error.message)", hint: error.hint)
            return 1
        } catch {
            complain("\(error)", hint: nil)
            return 1
        }
        var received: Int32 = 0
        unsafe sigwait(&signals, &received)
        log(.info, "stopping")
        daemon.stop()
        return 0
    }

    /// What `--misbehave` asks for; a release build wants to hear twice that this is a test.
    private static func misbehaviour(_ arguments: ParsedArguments) throws(UsageError) -> Misbehaviour? {
        guard let name = arguments.text("misbehave") else { return nil }
        #if !DEBUG
        guard arguments.has("i-am-testing") else {
            throw UsageError(
                "--misbehave makes a node that others will shut out",
                hint: "add --i-am-testing if that is what you want")
        }
        #endif
        return Misbehaviour(rawValue: name)
    }

    /// Whether the address of a faulty configuration is taken as well.
    private static func portFault(_ path: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(validating: data, as: UTF8.self),
            case .object(let members)? = (try? JSON5Parser.parse(text))?.content,
            case .string(let listen)? = members.last(where: { $0.key == "listen" })?.value.content,
            let address = try? SocketAddress(listen)
        else { return [] }
        do throws(TransportError) {
            try TLSTransport.probe(address)
            return []
        } catch {
            return ["listen: \(error.message)"]
        }
    }
}
