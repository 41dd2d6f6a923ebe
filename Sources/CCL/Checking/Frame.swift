internal import MeshCore

/// What `let`, a parameter or a loop binds.
struct Binding {
    enum Kind {
        case local(Int, ValueType)
        /// Never assigned and known before the run.
        case constant(Term)
        case poisoned
    }

    enum Role { case binding, parameter, loop }

    var name: Name
    var kind: Kind
    var role: Role
    var isRead = false
    /// What the name meant before.
    var shadowed: Int?
    /// How deep the scope lies that it belongs to.
    var scope: Int
}

/// The function that is being checked.
struct Frame {
    enum Kind { case main, handler, function(Int) }

    /// What `return` has to give.
    enum Result {
        /// Until the first `return` says it.
        case open
        case nothing
        case value(ValueType)
        case poisoned
    }

    var kind: Kind
    var locals: [Function.Local] = []
    var bindings: [Binding] = []
    /// The binding that a name means now.
    var names: [String: Int] = [:]
    var scope = 0
    var flow = Flow()
    var result = Result.nothing
    /// Locals of no name that are free again.
    var freeLocals: [ValueType: [Int]] = [:]
    /// What is assigned anywhere in the function.
    var assigned: Set<String> = []

    init(kind: Kind) { self.kind = kind }
}

/// A function of the contract's own, and what is known of it.
struct FunctionSource {
    enum State {
        case waiting
        case checking
        /// Its number in the program; `nil` when it cannot be called for an error that was given.
        case done(Int?)
    }

    var declaration: FunctionDeclaration
    var state = State.waiting
    /// `nil` for one that is not known because of an error.
    var parameterTypes: [ValueType?] = []
    var result = Frame.Result.open
    var use = UseSummary()
}

extension Checker {
    mutating func openScope() { frame.scope += 1 }

    /// Ends the scope, and says what of it was never read.
    mutating func closeScope() {
        while let last = frame.bindings.last, last.scope == frame.scope {
            frame.bindings.removeLast()
            frame.names[last.name.text] = last.shadowed
            if !last.isRead { noteUnread(last) }
        }
        frame.scope -= 1
    }

    private mutating func noteUnread(_ binding: Binding) {
        if case .poisoned = binding.kind { return }
        guard !binding.name.text.hasPrefix("_") else { return }
        switch binding.role {
        case .loop: return
        case .binding:
            report(
                .unusedName, "`\(binding.name.text)` is never read", at: binding.name.range,
                hint: "remove it, or write `_\(binding.name.text)` if that is meant")
        case .parameter:
            report(
                .unusedName, "The parameter `\(binding.name.text)` is never read", at: binding.name.range,
                hint: "remove it from the function and its calls, or write `_\(binding.name.text)`")
        }
    }

    mutating func bind(_ name: Name, _ kind: Binding.Kind, as role: Binding.Role) {
        let shadowed = frame.names[name.text]
        if let shadowed, frame.bindings[shadowed].scope == frame.scope {
            report(
                .duplicateName, "`\(name.text)` is bound a second time in this block", at: name.range,
                hint: role == .parameter
                    ? "give the parameters different names"
                    : "write `\(name.text) = …;` to change it, or choose another name")
            frame.bindings[shadowed].isRead = true
        }
        frame.bindings.append(
            Binding(name: name, kind: kind, role: role, shadowed: shadowed, scope: frame.scope))
        frame.names[name.text] = frame.bindings.count - 1
    }

    mutating func addLocal(_ name: String, _ type: ValueType, at range: SourceRange) -> Int {
        guard frame.locals.count < Self.localCountMax else {
            if frame.locals.count == Self.localCountMax {
                report(
                    .moduleTooLarge,
                    "More than \(Self.localCountMax.grouped) names and intermediate values in one function",
                    at: range, hint: "split it into functions")
                frame.locals.append(Function.Local(name: name, type: type))
            }
            return 0
        }
        frame.locals.append(Function.Local(name: name, type: type))
        return frame.locals.count - 1
    }

    /// Keeps a value that is used more than once in a local of no name, unless it can as well be written twice.
    mutating func kept(
        _ value: Value, at range: SourceRange, in body: inout [Instruction], temporaries: inout [Int]
    ) -> Value {
        guard let type = value.type, value.constant == nil, !value.isLocal else { return value }
        let local = frame.freeLocals[type]?.popLast() ?? addLocal("", type, at: range)
        body.append(Instruction(.set(local: local, value), at: range.start))
        temporaries.append(local)
        return Value(.local(local), type)
    }

    mutating func release(_ temporaries: [Int]) {
        for local in temporaries where frame.locals.indices.contains(local) {
            frame.freeLocals[frame.locals[local].type, default: []].append(local)
        }
    }
}
