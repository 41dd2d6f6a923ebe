internal import CWasmtime
internal import MeshCore
internal import MeshRuntime

/// The functions of the module `host`: pointers are checked here, and ``ContractHost`` decides.
extension GuestContext {
    /// One call of `function`; returns the trap that ends the program, or `nil`.
    func call(_ function: HostFunction, _ caller: OpaquePointer, _ arguments: WASIArguments) -> OpaquePointer?
    {
        hostCalls += 1
        do throws(HostTrap) {
            try perform(function, unsafe currentMemory(caller), arguments)
        } catch {
            // The engine's own trap, so that it counts as any access outside the memory does.
            if error == .outsideMemory {
                return unsafe library.functions.pointee.wasmtime_trap_new_code(1)
            }
            hostTrap = error
            return unsafe leave
        }
        return outputExceeded ? unsafe leave : nil
    }

    private func perform(
        _ function: HostFunction, _ memory: GuestMemory, _ arguments: WASIArguments
    ) throws(HostTrap) {
        func bytes(_ index: Int) throws(HostTrap) -> UnsafeRawBufferPointer {
            do throws(WASIError) {
                return unsafe UnsafeRawBufferPointer(
                    try memory.bytes(at: arguments.word(index), count: arguments.word(index + 1)))
            } catch {
                throw .outsideMemory
            }
        }
        if function == .logMessage {
            unsafe log(try bytes(0))
            return
        }
        var host = self.host ?? makeHost()
        // One owner while it changes; a trap leaves what is on record.
        self.host = nil
        defer { self.host = host }
        let answer: ContractHost.Answer
        switch function {
        case .logMessage: return
        case .anchorToDAG:
            let data = unsafe try bytes(0)
            answer = try host.anchor(unsafe text(data, RunEffectLimits.anchoredByteCountMax))
        case .checkResourceAuthorization:
            let resource = unsafe try bytes(0)
            answer = try host.check(
                unsafe text(resource, RunEffectLimits.resourceByteCountMax), arguments.amount(2))
        case .recordResourceUsage:
            let resource = unsafe try bytes(0)
            answer = try host.record(
                unsafe text(resource, RunEffectLimits.resourceByteCountMax), arguments.amount(2))
        case .submitJob:
            let (code, description, resource, priority) = unsafe (
                try bytes(0), try bytes(2), try bytes(4), try bytes(7)
            )
            answer = try host.submit(
                code: unsafe text(code, ContractHost.codeByteCountMax),
                description: unsafe text(description, RunEffectLimits.descriptionByteCountMax),
                resource: unsafe text(resource, RunEffectLimits.resourceByteCountMax),
                amount: arguments.amount(6),
                priority: unsafe text(priority, ContractHost.priorityByteCountMax))
        }
        if var line = answer.line { line.withUTF8 { unsafe log(UnsafeRawBufferPointer($0)) } }
        if function == .recordResourceUsage, !answer.isGranted { throw .notAuthorised }
        if function.returnsAnswer { arguments.answer(answer.isGranted ? 1 : 0) }
    }

    /// A text of at most `limit` bytes; a longer one costs nothing.
    private func text(_ bytes: UnsafeRawBufferPointer, _ limit: Int) -> HostText {
        guard bytes.count <= limit else { return .tooLong(limit) }
        ioBytes += UInt64(bytes.count)
        guard let text = unsafe String(validating: bytes, as: UTF8.self) else { return .notUTF8 }
        return .text(text)
    }

    /// Writes a line to stderr, with invalid UTF-8 repaired.
    private func log(_ bytes: UnsafeRawBufferPointer) {
        // Repairing never shortens a text, so what follows the room that is left needs no look; three bytes
        // more keep a character that is cut from being taken for a broken one.
        let looked = min(bytes.count, outputRoom + 4)
        var line = unsafe String(decoding: UnsafeRawBufferPointer(rebasing: bytes[..<looked]), as: UTF8.self)
        line += "\n"
        line.withUTF8 { unsafe _ = write(UnsafeRawBufferPointer($0), to: errors) }
    }
}

extension WASIArguments {
    /// The amount at `index`; negative ones come through as they are.
    fileprivate func amount(_ index: Int) -> Int64 { Int64(bitPattern: long(index)) }
}
