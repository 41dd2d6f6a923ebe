import Foundation
import WasmRuntime

/// Modules that the tests submit.
enum Modules {
    static func example(_ name: String) throws -> [UInt8] {
        [UInt8](
            try Data(contentsOf: Programs.package.appendingPathComponent("examples/\(name)/\(name).wasm")))
    }

    static func examplePath(_ name: String) -> String {
        Programs.package.appendingPathComponent("examples/\(name)/\(name).wasm").path
    }

    /// The module that WebAssembly text describes.
    static func assemble(_ text: String) throws -> [UInt8] {
        try WasmTextAssembler(libraryPath: Programs.libraryPath).assemble(text)
    }

    /// Exits with a status.
    static func exiting(_ status: Int) throws -> [UInt8] {
        try assemble(
            """
            (module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (func (export "_start") (call $exit (i32.const \(status))) (unreachable)))
            """)
    }

    /// Counts to `count` and returns 0.
    static func counting(to count: Int) throws -> [UInt8] {
        try assemble(
            """
            (module (func (export "run") (result i32) (local i64)
              (loop (br_if 0 (i64.lt_u (local.tee 0 (i64.add (local.get 0) (i64.const 1))) (i64.const \(count)))))
              (i32.const 0)))
            """)
    }

    /// Writes for ever.
    static let writing = """
        (module (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 16) "hello")
          (func (export "_start")
            (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))))
        """

    /// Wants 100 MiB and traps when it does not get them.
    static let hungry = """
        (module (memory (export "memory") 1)
          (func (export "run")
            (if (i32.eq (memory.grow (i32.const 1600)) (i32.const -1)) (then (unreachable)))))
        """
}
