internal import CommandLineArguments

extension CommandEntry {
    /// The flags that describe a job.
    ///
    /// In a file for `--file` each is a key in snake case; those without a default here take the daemon's.
    static let submitFlags: [Flag] = [
        Flag("wasm", short: "w", .text("FILE|CID"), "The module; with --language dataflow the graph"),
        Flag("description", short: "d", .text("TEXT"), "What the job is, for people"),
        Flag("resource-type", .choice(["compute", "storage", "bandwidth"]), "What it is paid in (compute)"),
        Flag(
            "resource-amount", .integer("N", 1...(1 << 40)),
            "The most it may use; a unit of compute is 10^6 fuel (100)"),
        Flag("scope", .text("NAME"), "The scope whose nodes see it (default)"),
        Flag("priority", .choice(["low", "medium", "high", "critical"]), "How urgent it is (medium)"),
        Flag(
            "min-memory", .integer("MiB", 1...(1 << 20)), "Memory that a node must offer, and the limit (64)"),
        Flag("min-cpu", .integer("N", 1...4096), "Processors that a node must offer (1)"),
        Flag(
            "language", .text("NAME"), "What runs it: wasm, ccl for a contract, dataflow for a graph (wasm)"),
        Flag(
            "module", .text("FILE"), "Also upload a module that the contract's or graph's own jobs name",
            repeatable: true),
        Flag("entry", .text("NAME"), "The exported function to call (_start, run or main)"),
        Flag(
            "input", .pair("NAME=FILE|CID"), "An input; NAME=- reads standard input", repeatable: true),
        Flag("arg", .text("TEXT"), "An argument of the program; a graph takes --passes=N", repeatable: true),
        Flag("env", .pair("K=V"), "An environment variable of the program", repeatable: true),
        Flag("fuel", .integer("N", 1...(1 << 53)), "A fuel limit below what the resource amount gives"),
        Flag("max-seconds", .integer("N", 1...86_400), "A limit of real time"),
        Flag("token", .text("CID"), "A grant to draw on", repeatable: true),
        Flag("verify", .choice(["none", "signature", "replay"]), "How the receipt is verified (replay)"),
        Flag("quorum", .integer("N", 1...1024), "Attestations to ask for (the federation's threshold)"),
        Flag("auto", .toggle, "Award the job to the best bid when the window ends"),
        Flag("bid-window", .duration, "How long to collect bids; 0: the first acceptable one wins (2s)"),
        Flag("idempotency-key", .text("TEXT"), "Name the same job when submitted again"),
        Flag("max-output", .integer("BYTES", 1...(1 << 32)), "The most that it may write (16 MiB)"),
        Flag("allow-self", .toggle, "Let the submitting node bid too"),
        Flag("delegate", .text("NODE"), "Let this node place the job"),
        Flag("max-bid", .integer("N", 0...(1 << 53)), "The highest price to accept (the resource amount)"),
        Flag("min-reputation", .integer("N", 0...100), "Only nodes with at least this reputation"),
        Flag("location", .text("NAME"), "Only nodes at this location"),
        Flag("label", .pair("K=V"), "Only nodes with this label", repeatable: true),
        Flag("after", .text("JOB"), "Start when this job is completed", repeatable: true),
        Flag("retry", .integer("N", 0...100), "Attempts after a node failed"),
        Flag("deadline", .duration, "When the job expires, from now on"),
    ]
}
