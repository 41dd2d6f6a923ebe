internal import CCL
internal import MeshTestSupport
internal import Testing

@Suite("Contracts by chance")
struct EmissionRandomTests {
    @Test(
        "A program by chance prints as a module what the twin prints",
        .enabled(if: EmissionTools.wasmkit != nil, EmissionTools.wasmkitMissing), arguments: Seed.sample(200))
    func twin(seed: Seed) throws {
        try EmissionTools.expectTwin(EmissionGenerator.program(seed: seed.rawValue), "\(seed)")
    }

    @Test(
        "A program by chance is a valid module, with and without names, for the mesh and for WASI",
        .enabled(if: EmissionTools.validate != nil, EmissionTools.validateMissing),
        arguments: Seed.sample(100))
    func valid(seed: Seed) throws {
        let program = EmissionGenerator.program(seed: seed.rawValue)
        // Each way for some of the seeds.
        let options = EmissionModuleTests.options[Int(seed.rawValue % 4)]
        let module = try Contract.emit(program, options: options).get()
        try EmissionTools.expectValid(module.bytes, "\(seed) \(options)")
        #expect(try Contract.emit(program, options: options).get() == module)
    }

    @Test("Most programs by chance come to their end, and some fail")
    func mix() throws {
        let runs = try Seed.sample(200).map {
            try EmissionTwin.run(EmissionGenerator.program(seed: $0.rawValue))
        }
        let failed = runs.count { $0.isTrapped }
        let silent = runs.count { $0.output.isEmpty }
        #expect(
            runs.count == 1 || (failed > 20 && failed < 100 && silent < 20),
            "\(failed) failed, \(silent) silent")
    }
}
