internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

extension CommandEntry {
    static let inviteCreate = CommandEntry(
        Command(
            "create", "Sign an invitation and print it",
            discussion: """
                The node signs, so it must be a member of the federation. Whoever is invited passes the ticket to
                `meshd init --invite`. Without --for the ticket admits whoever shows it first, at each node anew, and
                membership records carry tickets through the mesh: name the DID wherever it is known.
                """,
            flags: [
                Flag("for", .text("DID"), "The node that it is for; only its key can use the ticket"),
                Flag("expires", .duration, "How long it admits, up to 366d", default: "7d"),
                Flag("out", .text("FILE"), "A file for the ticket instead of standard output"),
                .format,
            ],
            examples: [
                "meshctl invite create --for did:key:z6MkA",
                "meshctl invite create --expires 1h --out ticket.txt",
            ])
    ) { context in
        let request = InviteRequest(
            holder: context.arguments.text("for"), expiresMs: context.arguments.milliseconds("expires"))
        let invite: InviteView = try context.client().post("/v1/invites", request)
        if let path = context.arguments.text("out") {
            try context.write(Array("\(invite.ticket)\n".utf8), to: path)
        } else {
            context.show(invite) { [invite.ticket] }
        }
        if invite.holder == nil {
            context.hint("whoever shows this ticket first is let in; --for DID ties it to one node")
        }
        return .done
    }
}
