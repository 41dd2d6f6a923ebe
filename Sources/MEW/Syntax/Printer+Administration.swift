extension Printer {
    mutating func administration(_ statement: Statement) {
        switch statement.kind {
        case .loadOntology(let ontology):
            // Bare declarations would run together with those of the next statement.
            if ontology.name != nil {
                self.ontology(ontology)
            } else {
                write("LOAD ONTOLOGY ")
                block(ontology)
            }
        case .loadOntologyFrom(let path): write("LOAD ONTOLOGY FROM \(Self.quoted(path))")
        case .extendOntology(let ontology):
            write("EXTEND ONTOLOGY ")
            if let name = ontology.name {
                write(name.text)
                parents(ontology.parents)
                write(" ")
            }
            block(ontology)
        case .show(let show): self.show(show)
        case .createIndex(let name, let target, let attributes):
            write("CREATE INDEX ")
            if let name { write("\(name) ") }
            write("ON \(target)")
            guard !attributes.isEmpty else { return }
            write("(")
            list(attributes) { printer, attribute in
                printer.write("\(attribute.name)\(attribute.isDescending ? " DESC" : "")")
            }
            write(")")
        case .dropIndex(let name): write("DROP INDEX \(name)")
        case .watch(let watch): self.watch(watch)
        case .acknowledge(let delivery, let isNegative, let noRetry):
            write(isNegative ? "NACK " : "ACK ")
            primary(delivery)
            if noRetry { write(" [no_retry]") }
        case .manageWatch(let command, let handle):
            write("\(command.rawValue.uppercased()) WATCH ")
            primary(handle)
        case .alterWatch(let handle, let options):
            write("ALTER WATCH ")
            primary(handle)
            write(" SET")
            self.options(options)
        default: break
        }
    }

    private mutating func show(_ show: ShowStatement) {
        write("SHOW ")
        switch show {
        case .types: write("TYPES")
        case .edges: write("EDGES")
        case .constraints: write("CONSTRAINTS")
        case .rules: write("RULES")
        case .policies: write("POLICIES")
        case .indexes: write("INDEXES")
        case .statistics: write("STATISTICS")
        case .status: write("STATUS")
        case .watches: write("WATCHES")
        case .type(let name): write("TYPE \(name)")
        case .edge(let name): write("EDGE \(name)")
        case .constraint(let name): write("CONSTRAINT \(name)")
        case .rule(let name): write("RULE \(name)")
        }
    }

    // MARK: - Watches

    private mutating func watch(_ watch: WatchStatement) {
        write("WATCH ")
        pattern(watch.pattern)
        options(watch.options)
        if watch.actions.isEmpty {
            write(" RETURN ")
            projections(watch.projections)
        } else {
            write(" ON MATCH DO ")
            actions(watch.actions)
        }
    }

    private mutating func options(_ options: [WatchOption]) {
        guard !options.isEmpty else { return }
        write(" [")
        list(options) { printer, option in
            printer.write("\(option.name): ")
            printer.value(option.value, isFilter: option.name.text.lowercased() == "filter")
        }
        write("]")
    }

    private mutating func value(_ value: WatchOption.Value, isFilter: Bool = false) {
        switch value {
        case .word(let word, let values):
            write(word)
            guard !values.isEmpty else { return }
            write("(")
            list(values) { printer, value in printer.value(value) }
            write(")")
        case .expression(let expression, let isDescending):
            // A word with parentheses behind it is an option's own form.
            let text = expression.canonicalText
            let word = text.prefix { $0.isASCII && $0.utf8.allSatisfy(Lexer.continuesWord) }
            let isCall = !word.isEmpty && text.dropFirst(word.count).hasPrefix("(")
            write(isCall && !isFilter ? "(\(text))" : text)
            if isDescending { write(" DESC") }
        }
    }
}
