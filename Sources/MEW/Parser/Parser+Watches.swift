/// WATCH with its options, and what manages one.
extension Parser {
    /// Behind WATCH.
    mutating func watch() throws(Reported) -> WatchStatement {
        let pattern = try pattern()
        let options = try watchOptions()
        if current.keyword == .on, peek(1).keyword == .match {
            advance()
            advance()
            try expect(.do)
            return WatchStatement(
                pattern: pattern, options: options, projections: [], actions: try ruleActions())
        }
        guard takes(.return) else {
            throw expected("RETURN, or ON MATCH DO", near: ["RETURN", "WHERE", "ON"])
        }
        return WatchStatement(
            pattern: pattern, options: options, projections: try projections(), actions: [])
    }

    /// Any number of brackets.
    private mutating func watchOptions() throws(Reported) -> [WatchOption] {
        var options: [WatchOption] = []
        while takes(.leftBracket) {
            options += try list { parser throws(Reported) in
                let name = try parser.anyName("an option")
                try parser.expect(.colon)
                let isExpression = name.text.lowercased() == "filter"
                return WatchOption(name: name, value: try parser.watchValue(isExpression: isExpression))
            }
            try expect(.rightBracket)
        }
        return options
    }

    /// A word with what stands in its parentheses, or an expression.
    private mutating func watchValue(isExpression: Bool) throws(Reported) -> WatchOption.Value {
        if !isExpression, let word = current.word, current.keyword?.isReserved != true {
            switch peek(1).kind {
            case .symbol(.comma), .symbol(.rightBracket), .symbol(.rightParenthesis):
                advance()
                return .word(word, [])
            case .symbol(.leftParenthesis):
                advance()
                advance()
                if takes(.rightParenthesis) { return .word(word, []) }
                let values = try nested { parser throws(Reported) in
                    try parser.list { parser throws(Reported) in
                        try parser.watchValue(isExpression: false)
                    }
                }
                try expect(.rightParenthesis)
                return .word(word, values)
            default: break
            }
        }
        let value = try expression()
        let isDescending = takes(.desc)
        if !isDescending { _ = takes(.asc) }
        return .expression(value, isDescending: isDescending)
    }

    /// Behind ACK or NACK.
    mutating func acknowledgement(isNegative: Bool) throws(Reported) -> Statement.Kind {
        let delivery = try nested { parser throws(Reported) in try parser.primary() }
        var noRetry = false
        if current.isSymbol(.leftBracket) {
            advance()
            guard takesWord("no_retry") else { throw expected("no_retry", near: ["no_retry"]) }
            try expect(.rightBracket)
            noRetry = true
        }
        return .acknowledge(delivery, isNegative: isNegative, noRetry: noRetry)
    }

    /// Behind PAUSE, RESUME or CANCEL.
    mutating func watchManagement(_ keyword: Keyword) throws(Reported) -> Statement.Kind {
        try expect(.watch)
        let handle = try nested { parser throws(Reported) in try parser.primary() }
        let command: WatchCommand =
            switch keyword {
            case .pause: .pause
            case .resume: .resume
            default: .cancel
            }
        return .manageWatch(command, handle)
    }

    /// Behind ALTER.
    mutating func alterWatch() throws(Reported) -> Statement.Kind {
        try expect(.watch)
        let handle = try nested { parser throws(Reported) in try parser.primary() }
        try expect(.set)
        guard current.isSymbol(.leftBracket) else { throw expected("'[' and options") }
        return .alterWatch(handle, try watchOptions())
    }
}
