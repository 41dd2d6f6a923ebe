internal import MeshCore

/// Writes the functions that a contract needs, and notes what else they need.
struct Emitter {
    /// A function as it was written.
    struct Written {
        var name: String
        var signature: Signature
        /// The part of the code that says which locals there are, and the instructions behind it.
        var locals: Range<Int>
        var body: Range<Int>
        /// Parameters and locals by their index, as far as they have a name.
        var localNames: [(index: Int, name: String)]
    }

    let program: Program
    let target: EmissionOptions.Target
    let wantsNames: Bool

    var code = CodeBuffer()
    /// In the order of their index: what the program needs, in the order in which it is met.
    var written: [Written] = []
    var strings = StringPool()
    var tables = ConstantTables()

    /// The place of each of the program's functions among those that are written.
    private var places: [Int?]
    /// Functions that have a place and are not written yet, in the order of their places.
    private var waiting: [Int] = []
    private var placeCount = 0
    /// In the order in which they are met.
    private var helpers: [Helper] = []
    private(set) var helperPlaces = [Int](repeating: 0, count: Helper.allCases.count)
    /// What stands in the module for a host function, where it is not imported.
    private(set) var printers: [HostFunction: Int] = [:]
    private var hasHelper = Set<Helper>()
    private var hasHost = Set<HostFunction>()
    /// Which of the memory behind the data is used.
    private(set) var scratch = Set<Scratch>()
    /// Whether anything is made while the contract runs.
    var usesHeap = false

    // The function that is being written.
    var frame = LocalLayout()
    /// Where the instruction stands that is being written.
    var position = SourcePosition.start
    /// As failing code says it.
    var line: Int32 { Int32(clamping: position.line) }
    /// How often a string that is not constant went to the host.
    var splitCount = 0
    /// How many lines of failures are strings of the module.
    var wholeFailureCount = 0

    init(_ program: Program, options: EmissionOptions) {
        self.program = program
        target = options.target
        wantsNames = options.names
        places = [Int?](repeating: nil, count: program.functions.count)
    }

    /// The host functions that are used, in the published order.
    var hosts: [HostFunction] { HostFunction.allCases.filter(hasHost.contains) }

    // MARK: What is needed

    /// The place of a function, which will be written.
    mutating func place(of function: Int) -> Int {
        if let place = places[function] { return place }
        let place = placeCount
        places[function] = place
        placeCount += 1
        waiting.append(function)
        return place
    }

    mutating func call(_ helper: Helper) {
        if hasHelper.insert(helper).inserted { helpers.append(helper) }
        code.call(.helper(helper))
    }

    mutating func call(_ host: HostFunction) {
        hasHost.insert(host)
        code.call(.host(host))
    }

    /// Whether the function that says what failed is needed already.
    var hasFail: Bool { !hasHelper.isDisjoint(with: Helper.failing) }

    mutating func address(of place: Scratch) {
        scratch.insert(place)
        if place == .failure { scratch.insert(.name) }
        code.write(.i32Constant)
        code.write(.scratch(place))
    }

    // MARK: The whole

    /// The diagnostic of a program that no module can hold.
    typealias Failure = Diagnostic

    /// Writes `run`, the handlers and everything that they call.
    ///
    /// - Returns: The functions to export, by their place.
    mutating func writeAll() throws(Failure) -> (main: Int, handlers: [(event: String, place: Int)]) {
        let main = place(of: program.main)
        var events: [(event: String, functions: [Int])] = []
        var placeOfEvent: [[UInt8]: Int] = [:]
        for handler in program.handlers {
            let key = Array(handler.event.utf8)
            if let place = placeOfEvent[key] {
                events[place].functions.append(handler.function)
            } else {
                placeOfEvent[key] = events.count
                events.append((handler.event, [handler.function]))
            }
            _ = place(of: handler.function)
        }
        var next = 0
        while next < waiting.count {
            try write(program.functions[waiting[next]])
            next += 1
            try checkSize()
        }
        var exported: [(event: String, place: Int)] = []
        for event in events {
            exported.append((event.event, handlerPlace(event.functions, of: event.event)))
        }
        // Helpers may use the host, and what prints for the host uses other helpers.
        var nextHelper = 0
        writeHelpers(&nextHelper)
        if target == .wasi {
            for host in hosts {
                printers[host] = written.count
                writePrinter(host)
            }
            writeHelpers(&nextHelper)
        }
        return (main, exported)
    }

    private mutating func writeHelpers(_ next: inout Int) {
        while next < helpers.count {
            helperPlaces[helpers[next].rawValue] = written.count
            write(helpers[next])
            next += 1
        }
    }

    /// The function that serves an event: its only handler, or one that calls all of them.
    private mutating func handlerPlace(_ functions: [Int], of event: String) -> Int {
        let handlers = functions.map { place(of: $0) }
        if handlers.count == 1 { return handlers[0] }
        writeRaw("on:" + event, Signature([])) { emitter in
            for handler in handlers { emitter.code.call(.function(handler)) }
        }
        placeCount += 1
        return written.count - 1
    }

    static var tooLarge: Diagnostic {
        Diagnostic(
            .moduleTooLarge, "the module would have more than \(Limits.moduleByteCountMax) bytes", at: .none,
            hint: "move what is data into the data that a job reads")
    }

    /// Ends early what would be too large anyway: what is written is at most what will be kept.
    private func checkSize() throws(Failure) {
        if code.count > Limits.moduleByteCountMax || strings.bytes.count > Limits.moduleByteCountMax * 2 {
            throw Self.tooLarge
        }
    }

    /// Writes a function that is no part of the text.
    ///
    /// `locals`: What it has besides its parameters.
    mutating func writeRaw(
        _ name: String, _ signature: Signature, locals: [MachineType] = [],
        _ body: (inout Emitter) -> Void
    ) {
        let start = code.count
        code.forget()
        code.mark(nil)
        body(&self)
        code.write(.end)
        let end = code.count
        writeLocals(locals)
        written.append(
            Written(
                name: name, signature: signature, locals: end..<code.count, body: start..<end, localNames: [])
        )
        code.forget()
    }

    /// Writes which locals there are, those of one type that follow each other together.
    mutating func writeLocals(_ types: [MachineType]) {
        var runs: [(count: Int, type: MachineType)] = []
        for type in types {
            if let last = runs.last, last.type == type {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((1, type))
            }
        }
        code.write(count: runs.count)
        for run in runs {
            code.write(count: run.count)
            code.write(byte: run.type.rawValue)
        }
    }
}
