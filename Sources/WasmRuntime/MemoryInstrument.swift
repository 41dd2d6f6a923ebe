internal import MeshRuntime

/// What a worker does to a module's code before it is compiled.
enum MemoryInstrument {
    /// Names the transformation in the profile; `none` leaves modules as they are.
    static let revision = "none"

    static func apply(_ code: [UInt8], _ facts: WasmModuleFacts) -> [UInt8] { code }
}
