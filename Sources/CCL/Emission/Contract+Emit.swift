internal import MeshCore

extension Contract {
    /// A checked program as a WebAssembly module: the same bytes for the same program and options.
    ///
    /// - Returns: The module; C503 for a program that is larger than ``Limits/moduleByteCountMax`` or than what
    ///   engines take, C106 for declarations that nest deeper than what reads them follows.
    public static func emit(
        _ program: Program, options: EmissionOptions = EmissionOptions()
    ) -> Result<EmittedModule, Diagnostic> {
        do throws(Diagnostic) {
            return .success(try module(program, options))
        } catch {
            return .failure(error)
        }
    }

    private static func module(
        _ program: Program, _ options: EmissionOptions
    ) throws(Diagnostic) -> EmittedModule {
        guard DeclarationSection.isReadable(program) else {
            throw Diagnostic(
                .nestedTooDeeply, "the declarations nest too deeply to be read from a module", at: .none,
                hint: "flatten the innermost blocks")
        }
        var emitter = Emitter(program, options: options)
        let (main, handlers) = try emitter.writeAll()
        var linker = Linker(emitter)
        var module = linker.module(main: main, handlers: handlers)
        if let declarations = DeclarationSection.content(program) {
            module.appendCustomSection(DeclarationSection.name, declarations)
        }
        if options.names { module.appendSection(0, linker.names()) }
        var map: String?
        if let file = options.sourceMap {
            map = SourceMap.json(linker.mappings, file: file)
            if let url = options.mapURL {
                var content: [UInt8] = []
                content.appendName(url)
                module.appendCustomSection("sourceMappingURL", content)
            }
        }
        guard module.count <= Limits.moduleByteCountMax else {
            throw Emitter.tooLarge
        }
        return EmittedModule(bytes: module, sourceMap: map)
    }
}

extension [UInt8] {
    /// A section that engines pass over.
    fileprivate mutating func appendCustomSection(_ name: String, _ content: [UInt8]) {
        var section: [UInt8] = []
        section.appendName(name)
        section.append(contentsOf: content)
        appendSection(0, section)
    }
}
