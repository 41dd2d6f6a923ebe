internal import CWasmtime
internal import MeshCore

/// Turns WebAssembly text into a module with the engine's own assembler, for tests and measurements.
package struct WasmTextAssembler: Sendable {
    private let library: WasmtimeLibrary

    /// Loads libwasmtime; `nil` looks for it in the usual places.
    package init(libraryPath: String? = nil) throws(WasmRuntimeError) {
        library = try WasmtimeLibrary(path: try WasmtimeLibrary.locate(libraryPath))
    }

    /// Where libwasmtime is found when no path is given.
    package static func libraryPath() throws(WasmRuntimeError) -> String {
        try WasmtimeLibrary.locate(nil)
    }

    /// The module that `text` describes.
    ///
    /// - Throws: ``WasmRuntimeFailure/configuration`` with the assembler's own words for a fault in the text.
    package func assemble(_ text: String) throws(WasmRuntimeError) -> [UInt8] {
        let api = unsafe library.functions
        var bytes = unsafe wasm_byte_vec_t()
        if let error = unsafe api.pointee.wasmtime_wat2wasm(text, text.utf8.count, &bytes) {
            var message = unsafe wasm_byte_vec_t()
            unsafe api.pointee.wasmtime_error_message(error, &message)
            let raw = unsafe UnsafeRawBufferPointer(start: message.data, count: message.size)
            let reason = unsafe String(decoding: raw, as: UTF8.self)
            unsafe api.pointee.wasm_byte_vec_delete(&message)
            unsafe api.pointee.wasmtime_error_delete(error)
            throw WasmRuntimeError(.configuration, reason)
        }
        defer { unsafe api.pointee.wasm_byte_vec_delete(&bytes) }
        return unsafe Array(UnsafeRawBufferPointer(start: bytes.data, count: bytes.size))
    }
}
