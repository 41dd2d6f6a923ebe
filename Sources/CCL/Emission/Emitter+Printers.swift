internal import MeshCore

extension HostFunction {
    /// What its line begins with where a module prints for the host.
    var printed: String {
        switch self {
        case .logMessage: "log"
        case .anchorToDAG: "anchor"
        case .checkResourceAuthorization: "check"
        case .recordResourceUsage: "record"
        case .submitJob: "submit"
        }
    }

    var signature: Signature {
        Signature(parameters.map { $0 == "I" ? .i64 : .i32 }, returnsAnswer ? [.i32] : [])
    }
}

extension Emitter {
    /// A host function that prints its name and its arguments with tabs between them, and answers yes.
    mutating func writePrinter(_ function: HostFunction) {
        writeRaw(function.rawValue, function.signature) { emitter in
            emitter.writePrinted(function.printed)
            var local = 0
            let parameters = Array(function.parameters.utf8)
            while local < parameters.count {
                emitter.writePrinted("\t")
                if parameters[local] == UInt8(ascii: "I") {
                    // Behind what fd_write is told.
                    emitter.write(
                        .scratch(.output), .i32(12), .op(.i32Add), .get(local), .scratch(.output), .i32(12),
                        .op(.i32Add), .call(.digits), .scratch(.output), .i32(12), .op(.i32Add),
                        .op(.i32Subtract), .call(.print))
                    local += 1
                } else {
                    emitter.write(.get(local), .get(local + 1), .call(.print))
                    local += 2
                }
            }
            emitter.writePrinted("\n")
            if function.returnsAnswer { emitter.write(.i32(1)) }
        }
    }

    private mutating func writePrinted(_ text: String) {
        writeParts(of: text)
        call(.print)
    }
}
