import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("WASI preview 1", .tags(.Size.medium))
struct WASITests {
    /// Imports of the functions named, under their own names.
    private func imports(_ functions: [WASIPreview1]) -> String {
        functions.map { function in
            let parameters = function.parameters.map { $0 == "I" ? "i64" : "i32" }.joined(separator: " ")
            let result = function.returnsErrorNumber ? "(result i32)" : ""
            return
                "(import \"wasi_snapshot_preview1\" \"\(function.rawValue)\" (func $\(function.rawValue) (param \(parameters)) \(result)))"
        }.joined(separator: "\n")
    }

    /// Runs `body`, which returns the status; memory from 1024 on is printed for `printing` bytes first.
    private func run(
        _ functions: [WASIPreview1], _ body: String, data: String = "", printing: Int = 0,
        request: (([UInt8]) -> RunRequest)? = nil
    ) throws -> RunResult {
        let code = try Fixture.module(
            """
            (module \(imports(Array(Set(functions + [.fd_write])).sorted { $0.rawValue < $1.rawValue }))
              (memory (export "memory") 1)
              (data (i32.const 0) "\(data)")
              (func (export "run") (result i32) (local $status i32)
                (local.set $status (block (result i32) \(body)))
                (i32.store (i32.const 2000) (i32.const 1024)) (i32.store (i32.const 2004) (i32.const \(printing)))
                (drop (call $fd_write (i32.const 1) (i32.const 2000) (i32.const 1) (i32.const 2008)))
                (local.get $status)))
            """)
        return try Fixture.pool.get().run((request ?? { Fixture.request($0) })(code), code: code)
    }

    @Test("arguments and environment arrive as strings that end with a zero byte")
    func strings() throws {
        let result = try run(
            [.args_get, .args_sizes_get, .environ_get, .environ_sizes_get],
            """
            (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
            (drop (call $args_get (i32.const 16) (i32.const 1024)))
            (drop (call $environ_get (i32.const 64) (i32.add (i32.const 1024) (i32.load (i32.const 4)))))
            (i32.sub (i32.load (i32.const 20)) (i32.const 1024))
            """, printing: 24
        ) { Fixture.request($0, arguments: ["one", "two"], environment: ["B": "2", "A": "1"]) }
        #expect(result.outcome.exitCode == 4)
        #expect(String(decoding: result.stdout, as: UTF8.self) == "job\0one\0two\0A=1\0B=2\0\0\0\0\0")
    }

    @Test("the clock starts where the request says and moves on with every reading")
    func clock() throws {
        let result = try run(
            [.clock_time_get],
            """
            (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 1024)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 1032)))
            (call $clock_time_get (i32.const 9) (i64.const 0) (i32.const 1032))
            """, printing: 16)
        #expect(result.outcome.exitCode == 28)
        func number(_ offset: Int) -> UInt64 {
            result.stdout[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        #expect(number(0) == 1_700_000_000_000 * 1_000_000)
        #expect(number(8) == 1000)
    }

    @Test("waiting moves the virtual clock on and takes no real time")
    func waiting() throws {
        // One relative subscription of an hour on the monotonic clock.
        let result = try run(
            [.clock_time_get, .poll_oneoff],
            """
            (i32.store (i32.const 16) (i32.const 1))
            (i64.store (i32.const 24) (i64.const 3600000000000))
            (drop (call $poll_oneoff (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 400)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 1024)))
            (i32.load (i32.const 400))
            """, printing: 8)
        #expect(result.outcome.exitCode == 1)
        #expect(result.stdout.reversed().reduce(0) { $0 << 8 | UInt64($1) } == 3_600_000_000_000)
        #expect(result.metering.wallMilliseconds < 60_000)
    }

    @Test("random bytes follow from the seed alone")
    func random() throws {
        func bytes(_ seed: UInt8) throws -> [UInt8] {
            try run(
                [.random_get], "(call $random_get (i32.const 1024) (i32.const 37))", printing: 37,
                request: { Fixture.request($0, seed: seed) }
            ).stdout
        }
        let first = try bytes(1)
        #expect(first.count == 37)
        #expect(try bytes(1) == first)
        #expect(try bytes(2) != first)
        #expect(Set(first).count > 10)
    }

    @Test("input files are found below /in, read, sought in, and never written")
    func files() throws {
        let files = [
            RunRequest.InputFile(name: "a.txt", bytes: Array("alpha".utf8)),
            RunRequest.InputFile(name: "dir/b.txt", bytes: Array("beta".utf8)),
        ]
        func open(_ path: String, mode: Int = 0, rights: Int = 2, _ rest: String) throws -> RunResult {
            try run(
                [.path_open, .fd_read, .fd_seek, .fd_close, .path_filestat_get],
                """
                (i32.store (i32.const 300) (i32.const 1024)) (i32.store (i32.const 304) (i32.const 16))
                (i32.store (i32.const 320) (i32.const -1))
                (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const \(path.utf8.count))
                  (i32.const \(mode)) (i64.const \(rights)) (i64.const 0) (i32.const 0) (i32.const 320))
                \(rest)
                """, data: path, printing: 5, request: { Fixture.request($0, files: files) })
        }
        let read = """
            (drop) (drop (call $fd_seek (i32.load (i32.const 320)) (i64.const 1) (i32.const 0) (i32.const 340)))
            (drop (call $fd_read (i32.load (i32.const 320)) (i32.const 300) (i32.const 1) (i32.const 324)))
            (i32.load (i32.const 324))
            """
        let alpha = try open("a.txt", read)
        #expect(alpha.outcome.exitCode == 4)
        #expect(alpha.stdout == Array("lpha\0".utf8))
        #expect(alpha.metering.ioBytes == 9)
        #expect(try open("./dir/../dir/b.txt", read).stdout == Array("eta\0\0".utf8))
        #expect(try open("none", "").outcome.exitCode == 44)
        #expect(try open("../etc/passwd", "").outcome.exitCode == 76)
        #expect(try open("/etc/passwd", "").outcome.exitCode == 76)
        #expect(try open("new", mode: 1, "").outcome.exitCode == 69)
        #expect(try open("a.txt", rights: 64, "").outcome.exitCode == 69)
        #expect(try open("a.txt", mode: 2, "").outcome.exitCode == 54)
    }

    @Test("standard input is read to its end, and standard error is kept apart")
    func streams() throws {
        let result = try run(
            [.fd_read],
            """
            (i32.store (i32.const 300) (i32.const 1024)) (i32.store (i32.const 304) (i32.const 64))
            (drop (call $fd_read (i32.const 0) (i32.const 300) (i32.const 1) (i32.const 320)))
            (i32.store (i32.const 304) (i32.load (i32.const 320)))
            (drop (call $fd_write (i32.const 2) (i32.const 300) (i32.const 1) (i32.const 324)))
            (drop (call $fd_read (i32.const 0) (i32.const 300) (i32.const 1) (i32.const 320)))
            (i32.load (i32.const 320))
            """, printing: 2
        ) { Fixture.request($0, stdin: Array("input".utf8)) }
        #expect(result.outcome.exitCode == 0)
        #expect(result.stderr == Array("input".utf8))
        #expect(result.stdout == Array("in".utf8))
    }

    struct BadPointer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let function: WASIPreview1
        let call: String
    }

    @Test(
        "a pointer outside the memory gives EFAULT and harms nobody",
        arguments: [
            BadPointer(
                testDescription: "random_get over the end", function: .random_get,
                call: "(call $random_get (i32.const 65530) (i32.const 7))"),
            BadPointer(
                testDescription: "random_get that wraps", function: .random_get,
                call: "(call $random_get (i32.const -1) (i32.const -1))"),
            BadPointer(
                testDescription: "fd_write with vectors outside", function: .fd_write,
                call: "(call $fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 0))"),
            BadPointer(
                testDescription: "fd_write of bytes outside", function: .fd_write,
                call:
                    "(i32.store (i32.const 8) (i32.const -8)) (i32.store (i32.const 12) (i32.const 16)) (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))"
            ),
            BadPointer(
                testDescription: "fd_write with its count outside", function: .fd_write,
                call: "(call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 65533))"),
            BadPointer(
                testDescription: "args_get outside", function: .args_get,
                call: "(call $args_get (i32.const 65534) (i32.const 0))"),
            BadPointer(
                testDescription: "args_get whose pointers wrap", function: .args_get,
                call: "(call $args_get (i32.const -4) (i32.const 65532))"),
            BadPointer(
                testDescription: "clock_time_get outside", function: .clock_time_get,
                call: "(call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 65529))"),
            BadPointer(
                testDescription: "fd_prestat_dir_name outside", function: .fd_prestat_dir_name,
                call: "(call $fd_prestat_dir_name (i32.const 3) (i32.const -1) (i32.const 3))"),
            BadPointer(
                testDescription: "poll_oneoff outside", function: .poll_oneoff,
                call: "(call $poll_oneoff (i32.const 0) (i32.const -16) (i32.const 1) (i32.const 0))"),
            BadPointer(
                testDescription: "fd_readdir outside", function: .fd_readdir,
                call:
                    "(call $fd_readdir (i32.const 3) (i32.const 65530) (i32.const 100) (i64.const -1) (i32.const 0))"
            ),
            BadPointer(
                testDescription: "path_open with its path outside", function: .path_open,
                call:
                    "(call $path_open (i32.const 3) (i32.const 0) (i32.const 65535) (i32.const 4) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))"
            ),
        ])
    func badPointers(_ bad: BadPointer) throws {
        let result = try run([bad.function], bad.call)
        #expect(result.outcome == RunOutcome(.exit, exitCode: 21))
    }

    @Test("descriptors that are closed or unknown give EBADF")
    func descriptors() throws {
        let result = try run(
            [.fd_close, .fd_read, .fd_seek],
            """
            (drop (call $fd_close (i32.const 0)))
            (i32.add
              (call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
              (i32.add (call $fd_close (i32.const 77)) (call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0))))
            """)
        // EBADF twice, and ESPIPE for seeking in a stream.
        #expect(result.outcome.exitCode == 86)
    }

    @Test("a start function may call before the instance is known")
    func startFunction() throws {
        let code = try Fixture.module(
            """
            (module \(imports([.random_get])) (memory (export "memory") 1)
              (func $begin (if (call $random_get (i32.const 0) (i32.const 8)) (then (unreachable))))
              (start $begin)
              (func (export "run") (if (i64.eqz (i64.load (i32.const 0))) (then (unreachable)))))
            """)
        #expect(try Fixture.pool.get().run(Fixture.request(code), code: code).outcome == RunOutcome(.ok))
    }
}
