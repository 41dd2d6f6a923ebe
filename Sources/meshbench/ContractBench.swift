import CCL
import MeshCore
import WasmRuntime

/// The compiler of contracts: text to module, in lines a second and in bytes.
///
/// Beside it stands the engine's own assembler on the WebAssembly text of a program of the same kind: it has less to
/// decide, having neither names to resolve nor types to find, and both write the same format.
struct ContractBench: Bench {
    let name = "ccl"
    let summary = "contracts read, checked and compiled, beside the engine's assembler of WebAssembly text"

    func run() throws -> [BenchRow] {
        let mixed = Self.mixed(groups: 1_500)
        let declarations = Self.declarations(groups: 4_000)
        let assembled = try assembledLinesPerSecond()
        let c = "libwasmtime's wat2wasm, its own lines"
        return [
            BenchRow(
                what: "contract compiled, declarations, functions and handlers",
                ours: try linesPerSecond(mixed) { try Self.compiled(mixed).count }, unit: "lines/s",
                beside: c,
                besideValue: assembled, gate: 200_000, higherIsBetter: true),
            BenchRow(
                what: "contract compiled, declarations alone",
                ours: try linesPerSecond(declarations) { try Self.compiled(declarations).count },
                unit: "lines/s", beside: c, besideValue: assembled, gate: 200_000, higherIsBetter: true),
            BenchRow(
                what: "  of which reading",
                ours: try linesPerSecond(mixed) { Contract.read(mixed).tree.statements.count },
                unit: "lines/s", beside: nil, besideValue: nil, gate: nil, higherIsBetter: true),
            BenchRow(
                what: "contract laid out (fmt)",
                ours: try linesPerSecond(mixed) { Contract.formatted(mixed).text?.utf8.count ?? 0 },
                unit: "lines/s", beside: nil, besideValue: nil, gate: nil, higherIsBetter: true),
            BenchRow(
                what: "the first document's contract, compiled",
                ours: try microseconds { try Self.compiled(Self.document).count }, unit: "µs", beside: nil,
                besideValue: nil, gate: nil, higherIsBetter: false),
            BenchRow(
                what: "the first document's contract, its module without names",
                ours: Double(try Self.compiled(Self.document, names: false).count), unit: "bytes",
                beside: "the four strings in it", besideValue: 92, gate: 400, higherIsBetter: false),
        ]
    }

    // MARK: Measuring

    private static func compiled(_ source: [UInt8], names: Bool = true) throws -> [UInt8] {
        let compilation = Contract.compile(source, name: "bench.ccl", options: EmissionOptions(names: names))
        guard let module = compilation.module else {
            let first = compilation.diagnostics.first { $0.severity == .error }
            throw BenchFailure(
                "the contract does not compile: \(first?.message ?? "") at line \(first?.range.start.line ?? 0)"
            )
        }
        return module.bytes
    }

    private func linesPerSecond(_ source: [UInt8], _ body: () throws -> Int) throws -> Double {
        let lines = source.count { $0 == 0x0a }
        return Double(lines) * 1_000_000 / (try microseconds(body))
    }

    /// The best of several runs, in microseconds; the first is not counted.
    private func microseconds(_ body: () throws -> Int) throws -> Double {
        guard try body() > 0 else { throw BenchFailure("nothing came of a contract") }
        var best = Duration.seconds(1_000)
        let clock = ContinuousClock()
        for _ in 0..<7 {
            let start = clock.now
            guard try body() > 0 else { throw BenchFailure("nothing came of a contract") }
            best = min(best, clock.now - start)
        }
        return Double(best.components.attoseconds) / 1e12 + Double(best.components.seconds) * 1e6
    }

    private func assembledLinesPerSecond() throws -> Double {
        let assembler = try WasmTextAssembler()
        let text = Self.assembly(functions: 3_000)
        return try linesPerSecond(Array(text.utf8)) { try assembler.assemble(text).count }
    }

    // MARK: Texts

    /// What runs and what is declared, as contracts mix them: 24 lines a group.
    static func mixed(groups: Int) -> [UInt8] {
        var text = "title: \"Bench\";\nresources {\n    compute: 1000000;\n}\n"
        for group in 0..<groups {
            text += """
                // Rules of group \(group)
                role "member \(group)" {
                    single_transaction_limit: \(100 + group);
                    categories: ["community", "operations"];
                    term_length 365d;
                    quorum 0.\(group % 90 + 10);
                }

                on "expense.approved.\(group)" {
                    let amount = 10 + share_\(group)(\(group));
                    if check_resource_authorization("compute", amount) && amount < 5000 {
                        perform_action("approve expense \(group)", amount);
                        log("approved " + amount + " by group \(group)");
                    } else if amount == 0 {
                        log("nothing to approve");
                    } else {
                        log("too much for group \(group)");
                    }
                }

                function share_\(group)(total: integer) : integer {
                    return total * 3 / 4 + \(group);
                }


                """
        }
        return Array(text.utf8)
    }

    static func declarations(groups: Int) -> [UInt8] {
        var text = "title: \"Bench\";\n"
        for group in 0..<groups {
            text += """
                category "operations \(group)" {
                    description "Day-to-day expenses of group \(group)";
                    allocation 0.4; // of the whole budget
                    subcategories {
                        "staff": 0.6,
                        "tools": 0.1
                    };
                }

                """
        }
        return Array(text.utf8)
    }

    /// The contract of the project's first document.
    static let document = Array(
        """
        execution {
          // Submit a computation job
          submit_job(
            wasm_cid: "bafybeih7q27itb576mtmy5yzggkfzqnfj5dis4h2og6epvyvjyvcedwmze",
            description: "Data processing task",
            resource_type: "compute",
            resource_amount: 1000,
            priority: "medium"
          );
        }
        """.utf8)

    private static func assembly(functions: Int) -> String {
        var text = """
            (module
              (import "host" "host_log_message" (func $log (param i32 i32)))
              (memory (export "memory") 1)

            """
        for index in 0..<functions {
            text += """
                  (func $share_\(index) (param $total i64) (result i64)
                    local.get $total
                    i64.const 3
                    i64.mul
                    i64.const 4
                    i64.div_s
                    i64.const \(index)
                    i64.add)
                  (func (export "on:\(index)") (local $amount i64)
                    i64.const \(index)
                    call $share_\(index)
                    local.tee $amount
                    i64.const 5000
                    i64.lt_s
                    if
                      i32.const \(index)
                      i32.const 8
                      call $log
                    end)

                """
        }
        return text + ")\n"
    }
}
