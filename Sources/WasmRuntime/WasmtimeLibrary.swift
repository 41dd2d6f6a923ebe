internal import CWasmtime
internal import Glibc
internal import MeshCore

/// libwasmtime, loaded once per process and never unloaded.
///
/// It is looked for at an explicit path, else where `MESH_WASMTIME_LIBRARY` says, else as
/// `.deps/lib/libwasmtime.so` in the directories above the running program and in the working directory.
///
/// `@unchecked Sendable`: the table of functions is written once, before it is shared, and never changed.
@safe
struct WasmtimeLibrary: @unchecked Sendable {
    let functions: UnsafePointer<mesh_wasmtime>

    /// Loads the library at `path`.
    init(path: String) throws(WasmRuntimeError) {
        let table = UnsafeMutablePointer<mesh_wasmtime>.allocate(capacity: 1)
        var message = [CChar](repeating: 0, count: 512)
        let capacity = message.count
        guard unsafe mesh_wasmtime_load(path, table, &message, capacity) == 0 else {
            unsafe table.deallocate()
            let reason = String(
                decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw WasmRuntimeError(
                .libraryUnusable, "\(path) cannot be used: \(reason)", hint: "run make setup")
        }
        unsafe functions = UnsafePointer(table)
    }

    /// The path of the library.
    static func locate(_ explicit: String?) throws(WasmRuntimeError) -> String {
        if let explicit {
            guard isReadable(explicit) else {
                throw WasmRuntimeError(
                    .libraryMissing, "there is no libwasmtime at \(explicit)", hint: "run make setup")
            }
            return absolute(explicit)
        }
        if let named = unsafe getenv("MESH_WASMTIME_LIBRARY") {
            let path = unsafe String(cString: named)
            guard isReadable(path) else {
                throw WasmRuntimeError(
                    .libraryMissing, "MESH_WASMTIME_LIBRARY names \(path), which is not there",
                    hint: "run make setup and unset the variable")
            }
            return absolute(path)
        }
        var folder = executablePath()
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            let path = folder + "/.deps/lib/libwasmtime.so"
            if isReadable(path) { return path }
        }
        let here = absolute(".deps/lib/libwasmtime.so")
        if isReadable(here) { return here }
        throw WasmRuntimeError(
            .libraryMissing, "libwasmtime is not installed: no .deps/lib/libwasmtime.so was found",
            hint: "run make setup, or set MESH_WASMTIME_LIBRARY")
    }

    /// The running program's own path.
    static func executablePath() -> String {
        var path = [CChar](repeating: 0, count: 4096)
        let length = unsafe readlink("/proc/self/exe", &path, 4096)
        return String(decoding: path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `path` from the root: a worker may be started after this process has changed its directory.
    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        var folder = [CChar](repeating: 0, count: 4096)
        guard unsafe getcwd(&folder, 4096) != nil else { return path }
        let bytes = folder.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self) + "/" + path
    }

    private static func isReadable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
}
