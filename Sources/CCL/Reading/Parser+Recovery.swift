internal import MeshCore

extension Parser {
    /// Passes over the rest of a statement that was given up.
    mutating func recover(from start: Int) {
        let fault = index
        leaveBrackets()
        passing: while true {
            let token = tokens[index]
            switch token.kind {
            case .end, .rightBrace: break passing
            case .semicolon:
                index += 1
                break passing
            // It closes what stands around our block, which lacks its end.
            case .rightParenthesis where token.hasPartner && Int(token.partner) < start,
                .rightBracket where token.hasPartner && Int(token.partner) < start:
                break passing
            case _ where token.kind.isOpening && token.hasPartner: index = Int(token.partner) + 1
            default:
                if token.startsLine, index > fault || index > start, !continuesChain(index) { break passing }
                index += 1
            }
        }
        if index == start, kind != .end, kind != .rightBrace { index += 1 }
    }

    /// Goes behind the brackets that the statement at hand has opened, if they are closed.
    private mutating func leaveBrackets() {
        guard let outermost else { return }
        self.outermost = nil
        let partner = tokens[outermost].partner
        if tokens[outermost].hasPartner, partner >= index { index = Int(partner) + 1 }
    }

    /// An `else` behind a part of a conditional that was passed over.
    private func continuesChain(_ index: Int) -> Bool { keyword(at: index) == .else }

    /// Goes on at the block of a statement whose beginning has a fault.
    ///
    /// - Returns: `false` where it has none before its end.
    mutating func recoverAtBlock() -> Bool {
        leaveBrackets()
        var ahead = index
        while true {
            let token = tokens[ahead]
            switch token.kind {
            case .leftBrace:
                guard token.hasPartner else { return false }
                index = ahead
                return true
            case .end, .rightBrace, .semicolon: return false
            case _ where token.kind.isOpening && token.hasPartner: ahead = Int(token.partner) + 1
            default:
                if ahead > index, token.startsLine { return false }
                ahead += 1
            }
        }
    }
}
