internal import MeshRuntime

/// Descriptors, and the read-only directory `/in` with the job's input files.
extension GuestContext {
    private static let preopened: [UInt8] = Array("/in".utf8)
    private static let readRights: UInt64 = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 21 | 1 << 27
    private static let directoryRights: UInt64 = 1 << 13 | 1 << 14 | 1 << 18 | 1 << 21

    func descriptor(_ number: UInt32) throws(WASIError) -> Descriptor {
        guard number < descriptors.count, descriptors[Int(number)].kind != .closed else {
            throw .badDescriptor
        }
        return descriptors[Int(number)]
    }

    private func content(of descriptor: Descriptor) throws(WASIError) -> UnsafeRawBufferPointer {
        switch descriptor.kind {
        case .input: unsafe input
        case .file: unsafe files[descriptor.file].content
        case .directory: throw .isDirectory
        case .output, .errors, .closed: throw .badDescriptor
        }
    }

    // MARK: Reading and writing

    func write(
        _ memory: GuestMemory, _ number: UInt32, _ vectors: UInt32, _ count: UInt32, _ result: UInt32
    ) throws(WASIError) {
        let target: ByteBuffer
        switch try descriptor(number).kind {
        case .output: target = output
        case .errors: target = errors
        case .input, .directory, .file, .closed: throw .badDescriptor
        }
        guard count <= Self.vectorsMax else { throw .invalid }
        let total = try checkVectors(memory, vectors, count)
        _ = try unsafe memory.bytes(at: result, count: 4)
        for index in 0..<count {
            let address = try memory.load(UInt32.self, at: vectors + index * 8)
            let length = try memory.load(UInt32.self, at: vectors + index * 8 + 4)
            let bytes = try unsafe memory.bytes(at: address, count: length)
            guard unsafe write(UnsafeRawBufferPointer(bytes), to: target) else { return }
        }
        try memory.store(total, at: result)
    }

    /// The length of all vectors together; each lies inside the memory.
    private func checkVectors(
        _ memory: GuestMemory, _ vectors: UInt32, _ count: UInt32
    ) throws(WASIError) -> UInt32 {
        _ = try unsafe memory.bytes(at: vectors, count: count * 8)
        var total: UInt32 = 0
        for index in 0..<count {
            let address = try memory.load(UInt32.self, at: vectors + index * 8)
            let length = try memory.load(UInt32.self, at: vectors + index * 8 + 4)
            _ = try unsafe memory.bytes(at: address, count: length)
            let (sum, overflow) = total.addingReportingOverflow(length)
            guard !overflow else { throw .invalid }
            total = sum
        }
        return total
    }

    func read(
        _ memory: GuestMemory, _ number: UInt32, _ vectors: UInt32, _ count: UInt32, at position: UInt64?,
        _ result: UInt32
    ) throws(WASIError) {
        let descriptor = try descriptor(number)
        let content = try unsafe content(of: descriptor)
        if position != nil, descriptor.kind != .file { throw .illegalSeek }
        guard count <= Self.vectorsMax else { throw .invalid }
        _ = try checkVectors(memory, vectors, count)
        _ = try unsafe memory.bytes(at: result, count: 4)
        let start = position ?? descriptor.offset
        var offset = Int(min(start, UInt64(content.count)))
        let first = offset
        for index in 0..<count {
            let address = try memory.load(UInt32.self, at: vectors + index * 8)
            let length = try memory.load(UInt32.self, at: vectors + index * 8 + 4)
            let taken = min(Int(length), content.count - offset)
            try unsafe memory.store(
                UnsafeRawBufferPointer(rebasing: content[offset..<offset + taken]), at: address)
            offset += taken
            if offset == content.count { break }
        }
        ioBytes += UInt64(offset - first)
        if position == nil, offset > first { descriptors[Int(number)].offset = UInt64(offset) }
        try memory.store(UInt32(offset - first), at: result)
    }

    func seek(
        _ memory: GuestMemory, _ number: UInt32, _ distance: Int64, _ origin: UInt32, _ result: UInt32
    ) throws(WASIError) {
        let descriptor = try descriptor(number)
        guard descriptor.kind == .file else { throw .illegalSeek }
        let base: UInt64
        switch origin {
        case 0: base = 0
        case 1: base = descriptor.offset
        case 2: base = UInt64(unsafe files[descriptor.file].content.count)
        default: throw .invalid
        }
        let (place, overflow) = Int64(clamping: base).addingReportingOverflow(distance)
        guard !overflow, place >= 0 else { throw .invalid }
        try memory.store(UInt64(place), at: result)
        descriptors[Int(number)].offset = UInt64(place)
    }

    func tell(_ memory: GuestMemory, _ number: UInt32, _ result: UInt32) throws(WASIError) {
        let descriptor = try descriptor(number)
        guard descriptor.kind == .file else { throw .illegalSeek }
        try memory.store(descriptor.offset, at: result)
    }

    func close(_ number: UInt32) throws(WASIError) {
        _ = try descriptor(number)
        descriptors[Int(number)].kind = .closed
    }

    // MARK: Status

    func descriptorStatus(
        _ memory: GuestMemory, _ number: UInt32, _ place: UInt32
    ) throws(WASIError) {
        let descriptor = try descriptor(number)
        try memory.clear(at: place, count: 24)
        try memory.store(Self.type(of: descriptor), at: place)
        switch descriptor.kind {
        case .input: try memory.store(1 << 1 | 1 << 27 as UInt64, at: place + 8)
        case .output, .errors:
            try memory.store(1 as UInt16, at: place + 2)
            try memory.store(1 << 6 as UInt64, at: place + 8)
        case .directory:
            try memory.store(Self.directoryRights, at: place + 8)
            try memory.store(Self.readRights | Self.directoryRights, at: place + 16)
        case .file: try memory.store(Self.readRights, at: place + 8)
        case .closed: break
        }
    }

    /// The type of a descriptor: 0 for a stream, 3 for a directory, 4 for a file.
    private static func type(of descriptor: Descriptor) -> UInt8 {
        switch descriptor.kind {
        case .directory: 3
        case .file: 4
        case .input, .output, .errors, .closed: 0
        }
    }

    func fileStatus(
        _ memory: GuestMemory, _ descriptor: Descriptor, _ place: UInt32
    ) throws(WASIError) {
        try memory.clear(at: place, count: 64)
        try memory.store(Self.type(of: descriptor), at: place + 16)
        try memory.store(1 as UInt64, at: place + 24)
        if descriptor.kind == .file {
            try memory.store(UInt64(descriptor.file) + 2, at: place + 8)
            try memory.store(UInt64(unsafe files[descriptor.file].content.count), at: place + 32)
        } else if descriptor.kind == .directory {
            try memory.store(1 as UInt64, at: place + 8)
        }
    }

    // MARK: The directory

    func preopenStatus(
        _ memory: GuestMemory, _ number: UInt32, _ place: UInt32
    ) throws(WASIError) {
        guard number == 3, try descriptor(3).kind == .directory else { throw .badDescriptor }
        try memory.store(0 as UInt32, at: place)
        try memory.store(UInt32(Self.preopened.count), at: place + 4)
    }

    func preopenName(
        _ memory: GuestMemory, _ number: UInt32, _ place: UInt32, _ length: UInt32
    ) throws(WASIError) {
        guard number == 3, try descriptor(3).kind == .directory else { throw .badDescriptor }
        guard length >= Self.preopened.count else { throw .invalid }
        for (index, byte) in Self.preopened.enumerated() {
            try memory.store(byte, at: place &+ UInt32(index))
        }
    }

    /// What a path below the directory `number` names.
    func resolve(
        _ memory: GuestMemory, _ number: UInt32, _ path: UInt32, _ length: UInt32
    ) throws(WASIError) -> Descriptor {
        guard try descriptor(number).kind == .directory else { throw .notDirectory }
        guard length <= 4096 else { throw .invalid }
        let bytes = try unsafe memory.bytes(at: path, count: length)
        if unsafe bytes.first == UInt8(ascii: "/") { throw .notCapable }
        var components: [[UInt8]] = []
        let parts = unsafe bytes.split(separator: UInt8(ascii: "/")).map { unsafe Array($0) }
        for name in parts {
            if name == [UInt8(ascii: ".")] { continue }
            if name == Array("..".utf8) {
                guard components.popLast() != nil else { throw .notCapable }
                continue
            }
            components.append(name)
        }
        if components.isEmpty { return Descriptor(kind: .directory) }
        let wanted = Array(components.joined(separator: [UInt8(ascii: "/")]))
        guard let index = files.firstIndex(where: { unsafe $0.name.elementsEqual(wanted) }) else {
            throw .noEntry
        }
        return Descriptor(kind: .file, file: index)
    }

    func open(_ memory: GuestMemory, _ arguments: WASIArguments) throws(WASIError) {
        let mode = arguments.word(4)
        let result = arguments.word(8)
        _ = try unsafe memory.bytes(at: result, count: 4)
        let found: Descriptor
        do {
            found = try resolve(memory, arguments.word(0), arguments.word(2), arguments.word(3))
        } catch .noEntry {
            throw mode & 1 != 0 ? .readOnly : .noEntry
        }
        if mode & 5 == 5 { throw .exists }
        if mode & 8 != 0 { throw .readOnly }
        if found.kind == .file {
            if mode & 2 != 0 { throw .notDirectory }
            if arguments.long(5) & 1 << 6 != 0 { throw .readOnly }
        }
        if let free = descriptors.dropFirst(4).firstIndex(where: { $0.kind == .closed }) {
            descriptors[free] = found
            try memory.store(UInt32(free), at: result)
        } else {
            guard descriptors.count < Self.descriptorsMax else { throw .tooManyFiles }
            descriptors.append(found)
            try memory.store(UInt32(descriptors.count - 1), at: result)
        }
    }

    func readDirectory(
        _ memory: GuestMemory, _ number: UInt32, _ buffer: UInt32, _ length: UInt32, _ cookie: UInt64,
        _ result: UInt32
    ) throws(WASIError) {
        guard try descriptor(number).kind == .directory else { throw .notDirectory }
        _ = try unsafe memory.bytes(at: buffer, count: length)
        var used: UInt32 = 0
        var index = Int(clamping: min(cookie, UInt64(files.count)))
        while index < files.count, used < length {
            let name = unsafe Array(files[index].name)
            var entry: [UInt8] = []
            for shift in stride(from: 0, to: 64, by: 8) {
                entry.append(UInt8(truncatingIfNeeded: (index + 1) >> shift))
            }
            for shift in stride(from: 0, to: 64, by: 8) {
                entry.append(UInt8(truncatingIfNeeded: (index + 2) >> shift))
            }
            for shift in stride(from: 0, to: 32, by: 8) {
                entry.append(UInt8(truncatingIfNeeded: name.count >> shift))
            }
            entry += [4, 0, 0, 0] + name
            let taken = min(entry.count, Int(length - used))
            for (offset, byte) in entry.prefix(taken).enumerated() {
                try memory.store(byte, at: buffer + used + UInt32(offset))
            }
            used += UInt32(taken)
            index += 1
        }
        try memory.store(used, at: result)
    }
}
