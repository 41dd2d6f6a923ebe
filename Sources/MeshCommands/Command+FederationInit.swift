internal import MeshCore
internal import CommandLineArguments
internal import MeshFederation
internal import MeshIdentity

extension CommandEntry {
    static let federationInit = CommandEntry(
        Command(
            "init", "Work out a federation's CID and what its members configure",
            discussion: """
                Needs no daemon. Members that configure the same name, members and threshold get the same federation;
                it is formed once enough of their nodes have met.
                """,
            flags: [
                Flag("member", .text("DID"), "A member, as DID or DID=ORGANISATION", repeatable: true),
                Flag("threshold", .integer("K", 1...1024), "How many members must agree", required: true),
                .format,
            ],
            operands: [Operand("NAME", "What it is called")],
            examples: [
                "meshctl federation init friends --member did:key:z6MkA --member did:key:z6MkB --threshold 1"
            ])
    ) { context in
        let name = context.arguments.operand("NAME") ?? ""
        let members = try context.arguments.texts("member").map { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard let did = DID(parts.first ?? "") else {
                throw UsageError(
                    "\(text) is not a did:key of an Ed25519 key", hint: "meshctl identity show FILE.pem")
            }
            return FederationBundle.Member(did: did, organisation: parts.count == 2 ? parts[1] : nil)
        }
        let bundle: FederationBundle
        do throws(FederationError) {
            bundle = try FederationBundle.genesis(
                name: name, members: members, threshold: UInt64(context.arguments.integer("threshold") ?? 0))
        } catch {
            throw CommandFailure(code: error.code.rawValue, error.message, hint: error.hint)
        }
        func quoted(_ text: String) -> String { "'" + text.filter { $0 != "'" && $0 != "\\" } + "'" }
        let list = bundle.members.map { member in
            "{ did: \(quoted("\(member.did)"))"
                + (member.organisation.map { ", organisation: \(quoted($0))" } ?? "")
                + " }"
        }
        let tree = JSONTree.object([
            .init(key: "cid", value: .text("\(bundle.cid)")), .init(key: "name", value: .text(name)),
            .init(key: "threshold", value: .integer(Int(bundle.threshold))),
            .init(key: "members", value: .array(bundle.members.map { .text("\($0.did)") })),
        ])
        context.show(tree) {
            [
                "Federation \(bundle.cid)", "", "In the configuration of every member:",
                "federation: { name: \(quoted(name)), threshold: \(bundle.threshold), members: [",
            ] + list.map { "    \($0)," } + [
                "] },", "", "Of a node that only trusts it:", "federation: { trust: '\(bundle.cid)' },",
            ]
        }
        return .done
    }
}
