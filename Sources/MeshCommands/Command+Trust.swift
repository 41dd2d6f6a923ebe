internal import CommandLineArguments
internal import ControlClient
internal import IdentityFiles
internal import MeshAPI
internal import MeshCore

extension CommandEntry {
    static let federationList = CommandEntry(
        Command(
            "list", "List the federations that the daemon knows", flags: [.identifierOnly, .format],
            examples: ["meshctl federation list"])
    ) { context in
        let bundles: [FederationView] = try context.client().get("/v1/federations")
        context.show(
            bundles, id: \.cid,
            columns: [
                ("CID", \.cid), ("Name", \.name), ("Members", { String($0.members.count) }),
                ("Threshold", { String($0.threshold) }), ("Signatures", { String($0.signatures.count) }),
                ("Complete", { $0.complete ? "yes" : "no" }), ("Pinned", { $0.pinned ? "yes" : "no" }),
            ])
        return .done
    }

    static let federationShow = CommandEntry(
        Command(
            "show", "Show a federation, the pinned one by default", flags: [.format],
            operands: [Operand("FEDERATION", "Its CID, its name or a prefix", isOptional: true)],
            examples: ["meshctl federation show", "meshctl federation show friends -o json"])
    ) { context in
        let bundles: [FederationView] = try context.client().get("/v1/federations")
        let bundle = try chosen(context.arguments.operand("FEDERATION"), among: bundles)
        context.show(bundle) {
            CommandContext.block(
                [
                    ("Federation", bundle.cid), ("Name", bundle.name), ("Seq", String(bundle.seq)),
                    ("Threshold", "\(bundle.threshold) of \(bundle.members.count)"),
                    ("Complete", bundle.complete ? "yes" : "no"), ("Pinned", bundle.pinned ? "yes" : "no"),
                ]
                    + bundle.members.map { member in
                        let signed = bundle.signatures.contains(member.did) ? ", signed" : ""
                        let organisation = member.organisation.map { " of \($0)" } ?? ""
                        return ("Member", "\(member.nodeID ?? "-")\(organisation) \(member.did)\(signed)")
                    })
        }
        return .done
    }

    private static func chosen(_ id: String?, among bundles: [FederationView]) throws -> FederationView {
        let matches =
            id.map { id in bundles.filter { $0.cid.hasPrefix(id) || $0.name == id } }
            ?? bundles.filter(\.pinned)
        if let only = matches.first, matches.count == 1 { return only }
        if matches.isEmpty {
            throw CommandFailure(
                code: "federation.unknown",
                id.map { "no federation is called \($0)" } ?? "no federation is pinned",
                hint: "meshctl federation list")
        }
        throw CommandFailure(
            code: "federation.ambiguous",
            "several federations match: " + matches.map { "\($0.name) \($0.cid)" }.joined(separator: ", "))
    }

    static let federationSign = CommandEntry(
        Command(
            "sign", "Sign a federation's bundle with the node's key", flags: [.format],
            operands: [Operand("FEDERATION", "Its CID, its name or a prefix")],
            examples: ["meshctl federation sign friends"])
    ) { context in
        let id = HTTPControlClient.pathSegment(context.arguments.operand("FEDERATION") ?? "")
        let answer = try context.client().request("POST", "/v1/federations/\(id)/sign", body: [])
        let bundle: FederationView = try HTTPControlClient.decode(HTTPControlClient.checked(answer))
        context.show(bundle) {
            ["Signed \(bundle.cid) (\(bundle.signatures.count) of \(bundle.members.count) have)"]
        }
        return .done
    }

    static let identityCreate = CommandEntry(
        Command(
            "create", "Make a key and print its DID",
            flags: [
                Flag(
                    "out", .text("FILE.pem"), "A file that is not there yet; it gets mode 0600",
                    required: true),
                .format,
            ], examples: ["meshctl identity create --out alice.pem"])
    ) { context in
        let path = context.arguments.text("out") ?? ""
        return try withIdentityErrors {
            show(IdentityFile.did(of: try IdentityFile.create(path)), path, context)
            return .done
        }
    }

    static let identityShow = CommandEntry(
        Command(
            "show", "Print the DID of a key", flags: [.format],
            operands: [Operand("FILE.pem", "The key file")],
            examples: ["meshctl identity show alice.pem"])
    ) { context in
        let path = context.arguments.operand("FILE.pem") ?? ""
        return try withIdentityErrors {
            show(IdentityFile.did(of: try IdentityFile.load(path)), path, context)
            return .done
        }
    }

    private static func show(_ did: String, _ path: String, _ context: CommandContext) {
        let tree = JSONTree.object([
            .init(key: "did", value: .text(did)), .init(key: "file", value: .text(path)),
        ])
        context.show(tree) { [did] }
    }

    private static func withIdentityErrors(_ body: () throws -> ExitStatus) throws -> ExitStatus {
        do {
            return try body()
        } catch let error as IdentityFileError {
            throw CommandFailure(code: error.code.rawValue, error.message, hint: error.hint)
        }
    }
}
