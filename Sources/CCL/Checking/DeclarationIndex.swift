internal import MeshCore

/// Finds declared properties by dotted names: `resources.compute`, `job.requirements.features`.
///
/// A section is found by its head; one with an argument behind the head (`role "steward" { … }`) also as
/// `role.steward`, and by the head alone where no other has that head. Tables are made when somebody first asks,
/// so that a contract that reads no property pays nothing.
struct DeclarationIndex {
    enum Answer {
        /// A property's expression, and where its value is kept once it is known.
        case value(Expression, member: Int)
        case flag
        case section
        /// The part of the name at which the way ended.
        case unknown(part: Int, Place)
    }

    /// Where a name was looked for in vain.
    enum Place {
        case table(Int)
        case arguments(Int)
    }

    private struct Member {
        var value: Expression?
        var isFlag = false
        /// What stands under the head, together where there are several.
        var statements: [[Statement]] = []
        var arguments: [String: [[Statement]]] = [:]
        var table: Int?
        var argumentTables: [String: Int] = [:]
        var term: Term?
    }

    private struct Table {
        var sources: [[Statement]]
        var names: [String: Int]?
    }

    /// The functions that the contract defines.
    var functionNames: Set<String> = []
    private var tables: [Table]
    private var members: [Member] = []

    init(_ statements: [Statement]) {
        tables = [Table(sources: [statements])]
    }

    mutating func hasRoot(_ name: String) -> Bool { table(0)[name] != nil }

    /// What stands at the top level; empty where that is more than `countMax` names.
    mutating func roots(countMax: Int) -> [String] { names(at: .table(0), countMax: countMax) }

    /// What stands there, sorted; empty where that is more than `countMax` names.
    mutating func names(at place: Place, countMax: Int) -> [String] {
        switch place {
        case .table(let index):
            let names = table(index)
            return names.count > countMax ? [] : names.keys.sorted()
        case .arguments(let member):
            let arguments = members[member].arguments
            return arguments.count > countMax ? [] : arguments.keys.sorted()
        }
    }

    subscript(term member: Int) -> Term? {
        get { members[member].term }
        set { members[member].term = newValue }
    }

    mutating func find(_ path: [Name]) -> Answer {
        var current = 0
        var position = 0
        while true {
            let names = table(current)
            guard let member = names[path[position].text] else {
                return .unknown(part: position, .table(current))
            }
            position += 1
            if position == path.count {
                if let value = members[member].value { return .value(value, member: member) }
                return members[member].isFlag && members[member].statements.isEmpty ? .flag : .section
            }
            let argument = path[position].text
            if let sources = members[member].arguments[argument] {
                position += 1
                guard position < path.count else { return .section }
                let child = members[member].argumentTables[argument] ?? makeTable(sources)
                members[member].argumentTables[argument] = child
                current = child
            } else if !members[member].statements.isEmpty, members[member].arguments.count <= 1 {
                let child = members[member].table ?? makeTable(members[member].statements)
                members[member].table = child
                current = child
            } else {
                return .unknown(part: position, .arguments(member))
            }
        }
    }

    private mutating func makeTable(_ sources: [[Statement]]) -> Int {
        tables.append(Table(sources: sources))
        return tables.count - 1
    }

    private mutating func table(_ index: Int) -> [String: Int] {
        if let names = tables[index].names { return names }
        var names: [String: Int] = [:]
        for statements in tables[index].sources {
            for statement in statements { add(statement, isRoot: index == 0, to: &names) }
        }
        tables[index].names = names
        return names
    }

    private mutating func add(_ statement: Statement, isRoot: Bool, to names: inout [String: Int]) {
        func member(_ name: Name) -> Int {
            if let known = names[name.text] { return known }
            members.append(Member())
            names[name.text] = members.count - 1
            return members.count - 1
        }
        switch statement.kind {
        case .flag(let name):
            members[member(name)].isFlag = true
        case .property(let name, _, let value):
            let index = member(name)
            members[index].value = value
            if case .object(let block) = value.kind { members[index].statements = [block.statements] }
        case .section(let name, let arguments, let block):
            guard !(isRoot && name.text == Checker.executionName) else { return }
            let index = member(name)
            members[index].statements.append(block.statements)
            guard let first = arguments.first else { return }
            switch first.kind {
            case .string(let text): members[index].arguments[text, default: []].append(block.statements)
            case .name(let parts) where parts.count == 1:
                members[index].arguments[parts[0].text, default: []].append(block.statements)
            default: return
            }
        case .call, .binding, .conditional, .loop, .function, .handler, .result: return
        }
    }
}
