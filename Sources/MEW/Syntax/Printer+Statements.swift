extension Printer {
    mutating func statement(_ statement: Statement) {
        switch statement.kind {
        case .match(let match): self.match(match)
        case .matchMutate(let pattern, let changes):
            write("MATCH ")
            self.pattern(pattern)
            for change in changes {
                write(" ")
                self.statement(change)
            }
        case .walk(let walk): self.walk(walk)
        case .inspect(let name, let projections):
            write("INSPECT ")
            reference(name.text)
            returning(projections, keyword: "RETURN")
        case .spawn, .link, .unlink, .set, .kill: change(statement)
        case .begin, .commit, .rollback, .savepoint, .rollbackTo, .trigger, .beginSession, .endSession:
            control(statement)
        case .instance(let item): instance(item)
        case .edgeInstance(let edge, let targets, let attributes):
            write(edge.text)
            self.targets(targets)
            self.attributes(attributes)
        case .explain(let inner):
            write("EXPLAIN ")
            self.statement(inner)
        case .profile(let inner):
            write("PROFILE ")
            self.statement(inner)
        case .unsupported(let name): write(name)
        default: administration(statement)
        }
    }

    // MARK: - Queries

    mutating func match(_ match: MatchStatement) {
        write("MATCH ")
        pattern(match.pattern)
        for (index, optional) in match.optionals.enumerated() {
            write(" OPTIONAL MATCH ")
            pattern(optional)
            // The last condition is the whole's, so that the optional part's needs one behind it.
            if index == match.optionals.count - 1, optional.condition != nil, match.condition == nil {
                write(" WHERE true")
            }
        }
        condition(match.condition)
        write(match.isDistinct ? " RETURN DISTINCT " : " RETURN ")
        projections(match.projections)
        if !match.order.isEmpty {
            write(" ORDER BY ")
            list(match.order) { printer, key in
                printer.expression(key.expression)
                if key.isDescending { printer.write(" DESC") }
            }
        }
        if let limit = match.limit {
            write(" LIMIT ")
            expression(limit)
        }
        if let offset = match.offset {
            write(" OFFSET ")
            expression(offset)
        }
    }

    mutating func projections(_ projections: [Projection]) {
        list(projections) { printer, projection in
            switch projection {
            case .all: printer.write("*")
            case .expression(let expression, let alias):
                printer.expression(expression)
                printer.alias(alias)
            }
        }
    }

    mutating func returning(_ projections: [Projection]?, keyword: String = "RETURNING") {
        guard let projections else { return }
        write(" \(keyword) ")
        self.projections(projections)
    }

    private mutating func walk(_ walk: WalkStatement) {
        write("WALK FROM ")
        expression(walk.start)
        write(" FOLLOW ")
        list(walk.steps) { printer, step in
            printer.write(step.edge.text)
            switch step.direction {
            case .forward: printer.write(" ->")
            case .backward: printer.write(" <-")
            case .either: printer.write(" <->")
            }
        }
        if let maximum = walk.maximumDepth {
            write(" DEPTH \(walk.minimumDepth)..\(maximum)")
        } else if walk.minimumDepth != 1 {
            write(" DEPTH \(walk.minimumDepth)..")
        }
        if let until = walk.until {
            write(" UNTIL ")
            expression(until)
        }
        write(" RETURN ")
        switch walk.result {
        case .path: write("PATH")
        case .nodes: write("NODES")
        case .edges: write("EDGES")
        case .terminal(let name):
            write("TERMINAL")
            alias(name)
        case .projections(let projections): self.walkProjections(projections)
        }
    }

    private mutating func walkProjections(_ projections: [Projection]) {
        // The words of the other results mean those when they stand alone.
        if case .expression(let expression, let alias) = projections.first,
            case .variable(let word) = expression.kind, let keyword = Keyword(word: word),
            keyword == .terminal
                || [.nodes, .edges, .path].contains(keyword) && projections.count == 1
                    && alias == nil
        {
            write("(\(word))")
            self.alias(alias)
            guard projections.count > 1 else { return }
            write(", ")
            return self.projections(Array(projections.dropFirst()))
        }
        self.projections(projections)
    }

    // MARK: - Changes

    private mutating func change(_ statement: Statement) {
        switch statement.kind {
        case .spawn(let items, let projections):
            write("SPAWN ")
            list(items) { printer, item in printer.spawnItem(item) }
            returning(projections)
        case .link(let link):
            write(link.ifNotExists ? "LINK IF NOT EXISTS " : "LINK ")
            write("\(link.edge)(")
            list(link.targets) { printer, target in
                switch target {
                case .entity(let entity): printer.entity(entity)
                case .spawn(let item):
                    printer.write("SPAWN ")
                    printer.spawnItem(item)
                }
            }
            write(")")
            alias(link.variable)
            attributes(link.attributes)
            returning(link.returning)
        case .unlink(let target, let projections):
            write("UNLINK ")
            switch target {
            case .entity(let entity): self.entity(entity)
            case .pattern(let edge, let targets):
                write(edge.text)
                self.targets(targets)
            }
            returning(projections)
        case .set(let target, let assignments, let projections):
            write("SET ")
            entity(target)
            self.assignments(assignments)
            returning(projections)
        case .kill(let target, let mode, let projections):
            write("KILL ")
            entity(target)
            switch mode {
            case .declared: break
            case .cascade: write(" CASCADE")
            case .noCascade: write(" NO CASCADE")
            }
            returning(projections)
        default: break
        }
    }

    mutating func spawnItem(_ item: SpawnItem) {
        if let key = item.key {
            reference(key.text)
            write(": \(item.type)")
        } else if let variable = item.variable {
            write("\(variable): \(item.type)")
        } else {
            write(item.type.text)
        }
        attributes(item.attributes, always: item.key == nil && item.variable == nil)
        if item.key != nil { alias(item.variable) }
    }

    private mutating func instance(_ item: SpawnItem) {
        if let key = item.key {
            reference(key.text)
            write(": ")
        } else if let variable = item.variable {
            write("\(variable): ")
        }
        write(item.type.text)
        attributes(item.attributes, always: true)
    }

    /// ` { name = value }`, or nothing for none.
    mutating func attributes(_ attributes: [AttributeAssignment], always: Bool = false) {
        guard always || !attributes.isEmpty else { return }
        guard !attributes.isEmpty else { return write(" {}") }
        write(" { ")
        list(attributes) { printer, assignment in
            printer.write("\(assignment.attribute) = ")
            printer.expression(assignment.value)
        }
        write(" }")
    }

    /// `.name = value` for one, a block for more.
    mutating func assignments(_ assignments: [AttributeAssignment]) {
        guard assignments.count == 1, let assignment = assignments.first else {
            return attributes(assignments, always: true)
        }
        write(".\(assignment.attribute) = ")
        expression(assignment.value)
    }

    mutating func entity(_ target: EntityTarget) {
        switch target {
        case .reference(let name): reference(name.text)
        case .variable(let name): write(name.text)
        case .parameter(let name): write("$\(name)")
        case .match(let match, _):
            write("{ ")
            self.match(match)
            write(" }")
        }
    }

    // MARK: - Transactions and sessions

    private mutating func control(_ statement: Statement) {
        switch statement.kind {
        case .begin(let serializable): write(serializable ? "BEGIN SERIALIZABLE" : "BEGIN")
        case .commit: write("COMMIT")
        case .rollback: write("ROLLBACK")
        case .savepoint(let name): write("SAVEPOINT \(name)")
        case .rollbackTo(let name): write("ROLLBACK TO \(name)")
        case .trigger(let rule, let condition):
            write("TRIGGER \(rule)")
            self.condition(condition)
        case .beginSession(let target):
            write("BEGIN SESSION AS ")
            entity(target)
        case .endSession: write("END SESSION")
        default: break
        }
    }
}

extension Statement {
    /// The statement as canonical text, without a `;` at the end.
    public var canonicalText: String {
        Printer.text { $0.statement(self) }
    }
}

extension Sequence<Statement> {
    /// The program as canonical text: each statement with its `;` and a line break.
    public var canonicalText: String { map { $0.canonicalText + ";\n" }.joined() }
}
