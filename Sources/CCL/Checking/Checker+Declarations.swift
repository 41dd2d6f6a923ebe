internal import MeshCore

/// Where a statement stands that does not run.
enum DeclarationPlace {
    case top
    case section
    /// In a handler that is kept as it is, because no run provides what it reads: anything may stand there.
    case kept
}

extension Checker {
    /// The statements that do not run, as structured data; functions and handlers that run are set aside.
    mutating func declared(_ statements: [Statement], in place: DeclarationPlace) -> [Declaration] {
        var members: [Declaration] = []
        members.reserveCapacity(statements.count)
        noteDuplicates(statements, in: place)
        for statement in statements {
            switch statement.kind {
            case .flag(let name):
                members.append(Declaration(name: name.text, values: []))
            case .property(let name, let separator, let value):
                if place == .top, assigns(name, separator) { continue }
                members.append(Declaration(name: name.text, values: [declaredValue(value, in: place)]))
            case .section(let name, let arguments, let block):
                if place == .top, name.text == Self.executionName {
                    if let first = arguments.first {
                        report(
                            .invalidDeclaration, "`execution` takes nothing between its name and its block",
                            at: first.range, hint: "write `execution { … }`")
                    }
                    continue
                }
                noteSectionNamedAsFunction(name, in: place)
                members.append(
                    Declaration(
                        name: name.text, values: arguments.map { declaredValue($0, in: place) },
                        members: declared(block.statements, in: place.within)))
            case .call(let call):
                if place == .top { continue }
                members.append(declaredCall(call, in: place))
            case .conditional(let conditional):
                if place == .top { continue }
                append(conditional, to: &members, in: place)
            case .handler(let event, let block):
                declareHandler(event, block, in: place, to: &members)
            case .function(let function):
                if place != .top {
                    report(
                        .misplacedStatement, "A function stands inside of a section", at: function.name.range,
                        hint: "move `function \(function.name.text)` to the top level")
                }
            case .binding(let name, _, let value):
                if place == .top { continue }
                guard allowed("`let`", statement.range, in: place) else { continue }
                members.append(
                    Declaration(name: "let", values: [.text(name.text), declaredValue(value, in: place)]))
            case .loop(let name, let sequence, let block):
                if place == .top { continue }
                guard allowed("`for`", statement.range, in: place) else { continue }
                members.append(
                    Declaration(
                        name: "for", values: [.text("\(name.text) in \(sequence.sourceText)")],
                        members: declared(block.statements, in: place.within)))
            case .result(let value):
                if place == .top { continue }
                guard allowed("`return`", statement.range, in: place) else { continue }
                members.append(
                    Declaration(name: "return", values: value.map { [declaredValue($0, in: place)] } ?? []))
            }
        }
        return members
    }

    private mutating func allowed(_ what: String, _ range: SourceRange, in place: DeclarationPlace) -> Bool {
        guard place == .section else { return true }
        report(
            .misplacedStatement, "\(what) stands in a section, where nothing runs", at: range,
            hint: "move it into `execution { … }` or a function")
        return false
    }

    /// `name = value;` of a `let` of the top level is no declaration.
    private func assigns(_ name: Name, _ separator: Statement.Separator) -> Bool {
        separator == .equals && topBindings.contains(name.text)
    }

    private mutating func append(
        _ conditional: Conditional, to members: inout [Declaration], in place: DeclarationPlace
    ) {
        if place == .section {
            report(
                .declaredOnly, "Nothing decides this condition: it is kept as a declaration",
                at: conditional.condition.range)
        }
        members.append(
            Declaration(
                name: "if", values: [.text(conditional.condition.sourceText)],
                members: declared(conditional.then.statements, in: place.within)))
        guard let otherwise = conditional.otherwise else { return }
        members.append(
            Declaration(name: "else", values: [], members: declared(otherwise.statements, in: place.within)))
    }

    private mutating func declareHandler(
        _ event: Name, _ block: Block, in place: DeclarationPlace, to members: inout [Declaration]
    ) {
        var search = UnprovidedSearch()
        if place == .kept || search.visit(block, with: &index) {
            if place != .kept, let found = search.found {
                report(
                    .declaredOnly,
                    "No run provides `\(found.text)`: what `on \"\(event.text)\"` does is kept as a declaration",
                    at: found.range)
            }
            members.append(
                Declaration(
                    name: "on", values: [.string(event.text)], members: declared(block.statements, in: .kept))
            )
            return
        }
        if event.text.isEmpty {
            report(
                .invalidDeclaration, "An event has no name", at: event.range,
                hint: "write `on \"vote.cast\" { … }`")
        } else if !handledEvents.insert(event.text).inserted {
            report(
                .duplicateName, "`on \"\(event.text)\"` stands here a second time", at: event.range,
                hint: "put both into one handler")
        } else {
            handlerSources.append((event, block))
        }
    }

    private mutating func declaredCall(_ call: Call, in place: DeclarationPlace) -> Declaration {
        if place != .kept {
            report(
                .declaredOnly, "Nothing calls `\(call.name.text)` here: it is kept as a declaration",
                at: call.name.range, hint: "a call runs in `execution { … }`, in a function or in a handler")
        }
        var values: [DeclaredValue] = []
        var members: [Declaration] = []
        for argument in call.arguments {
            let value = declaredValue(argument.value, in: .kept)
            if let label = argument.label {
                members.append(Declaration(name: label.text, values: [value]))
            } else {
                values.append(value)
            }
        }
        return Declaration(name: call.name.text, values: values, members: members)
    }

    private mutating func noteSectionNamedAsFunction(_ name: Name, in place: DeclarationPlace) {
        guard place != .kept, !name.isQuoted else { return }
        guard LanguageFunction.isBlockCall(name.text) else { return }
        report(
            .declaredOnly, "Nothing calls `\(name.text)` here: it is kept as a declaration", at: name.range,
            hint: "put it into `execution { … }`, a function or a handler")
    }

    // MARK: Duplicates

    private mutating func noteDuplicates(_ statements: [Statement], in place: DeclarationPlace) {
        if statements.count <= 8 {
            for index in statements.indices.dropFirst() {
                guard let name = statements[index].propertyName else { continue }
                for earlier in 0..<index {
                    guard let other = statements[earlier].propertyName, other.text == name.text else {
                        continue
                    }
                    noteDuplicate(name, statements[index], in: place)
                    break
                }
            }
            return
        }
        var seen: Set<String> = []
        seen.reserveCapacity(statements.count)
        for statement in statements {
            guard let name = statement.propertyName else { continue }
            if !seen.insert(name.text).inserted { noteDuplicate(name, statement, in: place) }
        }
    }

    private mutating func noteDuplicate(_ name: Name, _ statement: Statement, in place: DeclarationPlace) {
        if case .property(_, let separator, _) = statement.kind, place == .kept || assigns(name, separator) {
            return
        }
        report(
            .duplicateProperty, "`\(name.text)` is declared a second time in this block", at: name.range,
            hint: "remove one of the two: the last one counts")
    }
}

extension Statement {
    fileprivate var propertyName: Name? {
        if case .property(let name, _, _) = kind { name } else { nil }
    }
}

extension DeclarationPlace {
    var within: DeclarationPlace { self == .top ? .section : self }
}
