import IPLD
import MeshCore
import MeshRuntime

@testable import WasmRuntime

/// What the tests of contracts share: modules that call their host, and sections that declare.
enum ContractFixture {
    static let cid = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"

    /// The imports of all five functions, called `$log`, `$anchor`, `$check`, `$record` and `$submit`.
    static let imports = zip(HostFunction.allCases, ["log", "anchor", "check", "record", "submit"])
        .map { function, name in declaration(function, name) }.joined(separator: "\n")

    static func declaration(_ function: HostFunction, _ name: String) -> String {
        let parameters = function.parameters.map { $0 == "I" ? "i64" : "i32" }.joined(separator: " ")
        let result = function.returnsAnswer ? "(result i32)" : ""
        return
            "(import \"host\" \"\(function.rawValue)\" (func $\(name) (param \(parameters)) \(result)))"
    }

    /// A contract whose `run` is `body`, an expression for its status, over strings laid out from byte 0 on.
    ///
    /// `(name)` in angle brackets, as in `(call $log <text>)`, stands for the address and length of a string.
    static func module(
        _ body: String, strings: [(name: String, bytes: [UInt8])] = [], section: [UInt8]? = nil
    ) throws -> [UInt8] {
        var text = body
        var data: [UInt8] = []
        for (name, bytes) in strings {
            text = text.split(separator: "<\(name)>", omittingEmptySubsequences: false)
                .joined(separator: "(i32.const \(data.count)) (i32.const \(bytes.count))")
            data += bytes
        }
        let hex = data.map { byte in
            let digits = String(byte, radix: 16)
            return "\\" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
        let code = try Fixture.module(
            """
            (module \(imports) (memory (export "memory") 1) (data (i32.const 0) "\(hex)")
              (func (export "run") (result i32) (local $i i32) \(text)))
            """)
        return code + (section.map { custom("ccl", $0) } ?? [])
    }

    static func custom(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = MemoryInstrument.unsigned(name.utf8.count) + Array(name.utf8) + content
        return [0] + MemoryInstrument.unsigned(named.count) + named
    }

    /// The content of a section `ccl` with these limits, in canonical order.
    static func section(
        limits: [(resource: String, amount: Int64?)] = [], version: UInt64 = 1,
        declarations: [String] = [], requirements: [(String, UInt64)]? = nil, location: String? = nil
    ) -> [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            if !limits.isEmpty {
                map.field("limits") { encoder in
                    encoder.array(limits) { encoder, limit in
                        encoder.map { map in
                            map.field("amount", ifPresent: limit.amount) { $0.integer($1) }
                            map.field("resource") { $0.text(limit.resource) }
                        }
                    }
                }
            }
            map.field("version") { $0.unsigned(version) }
            if !declarations.isEmpty {
                map.field("declarations") { encoder in
                    encoder.array(declarations) { encoder, name in
                        encoder.map { map in map.field("name") { $0.text(name) } }
                    }
                }
            }
            if let requirements {
                map.field("requirements") { encoder in
                    encoder.map { map in
                        for (key, value) in requirements {
                            if key > "l", let location, key == "memory_mib" {
                                map.field("location") { $0.text(location) }
                            }
                            map.field(key) { $0.unsigned(value) }
                        }
                    }
                }
            }
        }
        return encoder.bytes
    }

    static let grant = RunGrant(resource: "compute", amount: 100, submissionCountMax: 4)

    /// Runs a contract in the shared pool.
    static func run(
        _ body: String, strings: [(name: String, bytes: [UInt8])] = [], section: [UInt8]? = nil,
        grant: RunGrant? = grant, output: UInt64 = 1 << 20
    ) throws -> RunResult {
        let code = try module(body, strings: strings, section: section)
        return try Fixture.pool.get().run(
            Fixture.request(code, output: output, grant: grant), code: code)
    }

    static func strings(_ texts: [(String, String)]) -> [(name: String, bytes: [UInt8])] {
        texts.map { ($0.0, Array($0.1.utf8)) }
    }

    /// The strings of a job's submission that is in order.
    static let job = strings([
        ("cid", cid), ("description", "sum"), ("compute", "compute"), ("medium", "medium"), ("none", ""),
    ])

    static func submit(_ amount: Int64 = 5) -> String {
        "(call $submit <cid> <description> <compute> (i64.const \(amount)) <medium>)"
    }
}
