import MeshCore
import MeshGraph

@testable import MEW

/// Random MATCH statements, as text, over the types of ``TwinWorld``.
struct RandomMatch {
    struct Variable {
        let name: String
        /// As written: `Person`, `Person | Tag`, `any`, or the name of an edge.
        let type: String
        let isEdge: Bool
    }

    var generator: SeededGenerator
    /// Ids that may be named.
    let ids: [String]
    private var count = 0

    init(_ generator: SeededGenerator, ids: [String]) {
        self.generator = generator
        self.ids = ids
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    mutating func chance(_ oneIn: Int) -> Bool { number(1...oneIn) == 1 }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[number(0...values.count - 1)] }

    private mutating func fresh(_ letter: String) -> String {
        count += 1
        return "\(letter)\(count)"
    }

    private static let nodeTypes = [
        "Person", "Person", "Worker", "Task", "Task", "Bug", "Tag", "Thing", "any", "Person | Tag",
        "Worker | Bug",
    ]

    /// The concrete types that a written one has.
    private static func concrete(_ type: String) -> Set<String> {
        if type == "any" { return Set(TwinWorld.nodes) }
        if TwinWorld.edges.contains(type) { return [type] }
        if type.hasPrefix("edge<") {
            return type == "edge<any>" ? Set(TwinWorld.edges) : [String(type.dropFirst(5).dropLast())]
        }
        var found: Set<String> = []
        for part in type.split(separator: "|").map({ $0.filter { $0 != " " } }) {
            if part == "any" || part.hasPrefix("edge<") {
                found.formUnion(concrete(part))
            } else {
                found.formUnion(
                    TwinWorld.nodes.filter { TwinWorld.types.ancestors[$0]?.contains(part) ?? false })
            }
        }
        return found
    }

    private static func overlap(_ a: String, _ b: String) -> Bool {
        !concrete(a).isDisjoint(with: concrete(b))
    }

    // MARK: Patterns

    mutating func pattern(
        _ outer: [Variable], depth: Int, nodes: ClosedRange<Int> = 1...3
    ) -> (text: String, variables: [Variable]) {
        var own: [Variable] = []
        var elements: [String] = []
        for _ in 0..<number(nodes) {
            let variable = Variable(name: fresh("v"), type: pick(Self.nodeTypes), isEdge: false)
            own.append(variable)
            elements.append("\(variable.name): \(variable.type)")
        }
        for _ in 0..<(elements.isEmpty ? 1 : number(0...3)) {
            let edge = pick(TwinWorld.edges)
            let parameters = TwinWorld.types.parameters[edge] ?? []
            let isTransitive = parameters.count == 2 && chance(3)
            var targets: [String] = []
            for parameter in parameters {
                let fitting = (outer + own).filter { Self.overlap($0.type, parameter) }
                switch number(0...9) {
                case 0, 1: targets.append("_")
                case 2 where !ids.isEmpty: targets.append("#\"\(pick(ids))\"")
                case 3 where isTransitive:
                    let variable = Variable(name: fresh("w"), type: parameter, isEdge: false)
                    // Of unknown attributes: it is only returned and compared.
                    own.append(Variable(name: variable.name, type: parameter, isEdge: true))
                    targets.append(variable.name)
                default: targets.append(fitting.isEmpty ? "_" : pick(fitting).name)
                }
            }
            var text = "\(edge)\(isTransitive ? pick(["+", "*"]) : "")(\(targets.joined(separator: ", ")))"
            if isTransitive, chance(2) { text += " [depth: \(number(1...3))]" }
            if !isTransitive, chance(3) {
                let variable = Variable(name: fresh("e"), type: edge, isEdge: true)
                own.append(variable)
                text += " AS \(variable.name)"
            }
            elements.append(text)
        }
        // Elements may come in any order.
        elements.shuffle(using: &generator)
        var text = elements.joined(separator: ", ")
        if depth > 0, !chance(3) { text += " WHERE \(condition(outer + own, depth: depth))" }
        return (text, own)
    }

    // MARK: Expressions

    private mutating func attribute(_ variables: [Variable], _ kind: TwinWorld.Kind) -> String? {
        var all: [String] = []
        for variable in variables {
            let types = variable.type.split(separator: "|").map { $0.filter { $0 != " " } }
            guard let first = types.first else { continue }
            for (name, own) in TwinWorld.attributes[first] ?? [] where own == kind {
                let isShared = types.allSatisfy {
                    TwinWorld.attributes[$0]?.contains { $0.name == name } ?? false
                }
                if isShared { all.append("\(variable.name).\(name)") }
            }
        }
        return all.isEmpty ? nil : pick(all)
    }

    mutating func int(_ variables: [Variable], depth: Int) -> String {
        switch number(0...(depth > 0 ? 11 : 6)) {
        case 0, 1: return "\(number(-2...4))"
        case 2: return "$i"
        case 7: return "(\(int(variables, depth: depth - 1)) + \(int(variables, depth: depth - 1)))"
        case 8: return "(\(int(variables, depth: depth - 1)) - \(int(variables, depth: depth - 1)))"
        case 9: return "abs(\(int(variables, depth: depth - 1)))"
        case 10: return "(\(int(variables, depth: depth - 1)) ?? \(number(0...3)))"
        case 11: return "length(\(string(variables, depth: depth - 1)))"
        default: return attribute(variables, .int) ?? "\(number(-2...4))"
        }
    }

    mutating func string(_ variables: [Variable], depth: Int) -> String {
        switch number(0...(depth > 0 ? 8 : 5)) {
        case 0: return pick(["\"a\"", "\"b\"", "\"\"", "\"ab\"", "\"n2\"", "\"ä\""])
        case 1: return "$s"
        case 6: return "lower(\(string(variables, depth: depth - 1)))"
        case 7: return "(\(string(variables, depth: depth - 1)) ++ \(string(variables, depth: depth - 1)))"
        case 8: return "\(pick(variables).name)._type"
        default: return attribute(variables, .string) ?? "\"a\""
        }
    }

    mutating func number(_ variables: [Variable], depth: Int) -> String {
        switch number(0...5) {
        case 0: return pick(["0.5", "1.0", "-0.5", "2.5", "0.0"])
        case 1, 2: return int(variables, depth: depth)
        case 3 where depth > 0: return "(\(number(variables, depth: depth - 1)) * 2.0)"
        default: return attribute(variables, .float) ?? "1.5"
        }
    }

    mutating func condition(_ variables: [Variable], depth: Int) -> String {
        let comparison = pick(["=", "=", "!=", "<", ">", "<=", ">="])
        if depth > 0, chance(2) {
            switch number(0...9) {
            case 0...2:
                return
                    "\(condition(variables, depth: depth - 1)) AND \(condition(variables, depth: depth - 1))"
            case 3, 4:
                return
                    "(\(condition(variables, depth: depth - 1)) OR \(condition(variables, depth: depth - 1)))"
            case 5, 6: return "NOT (\(condition(variables, depth: depth - 1)))"
            case 7, 8:
                let inner = pattern(variables, depth: depth - 1, nodes: 0...1).text
                return "\(chance(2) ? "NOT " : "")EXISTS(\(inner))"
            default:
                let inner = pattern(variables, depth: depth - 1, nodes: 1...1).text
                return "COUNT(\(inner)) \(comparison) \(number(0...2))"
            }
        }
        let variable = pick(variables).name
        switch number(0...15) {
        case 0...2: return "\(int(variables, depth: 1)) \(comparison) \(int(variables, depth: 1))"
        case 3, 4: return "\(string(variables, depth: 1)) \(comparison) \(string(variables, depth: 1))"
        case 5, 6: return "\(number(variables, depth: 1)) \(comparison) \(number(variables, depth: 1))"
        case 7: return attribute(variables, .bool) ?? "true"
        case 8: return "\(int(variables, depth: 0)) IS \(chance(2) ? "NOT " : "")NULL"
        case 9: return "\(int(variables, depth: 0)) IN [1, 2, \(int(variables, depth: 0))]"
        case 10: return "\(variable): \(pick(["Person", "Worker", "Task", "Thing", "any", "Tag", "Bug"]))"
        case 11: return "\(variable) \(pick(["=", "!="])) \(pick(variables).name)"
        case 12 where !ids.isEmpty: return "\(variable) = #\"\(pick(ids))\""
        case 13 where !ids.isEmpty: return "\(variable).id = \"\(pick(ids))\""
        case 14: return "\(int(variables, depth: 0)) = $n?"
        default: return "(\(attribute(variables, .string) ?? "null")) \(pick(["=", "!="])) null"
        }
    }

    // MARK: Statements

    struct Column {
        let name: String
        let isOrdered: Bool
    }

    struct Statement {
        let text: String
        /// The places of the columns that it is ordered by.
        let order: [(column: Int, isDescending: Bool)]
        let isDistinct: Bool
        let limit: Int?
        let offset: Int
    }

    mutating func statement() -> Statement {
        let (pattern, variables) = pattern([], depth: 2)
        var known = variables
        var text = "MATCH \(pattern)"
        if chance(4) {
            let (optional, more) = self.pattern(known, depth: chance(2) ? 1 : 0, nodes: 0...1)
            text += " OPTIONAL MATCH \(optional)"
            known += more
            if chance(3) { text += " WHERE \(condition(known, depth: 1))" }
        }
        let isGrouped = chance(3)
        var columns: [(text: String, isScalar: Bool)] = []
        for _ in 0..<number(1...3) { columns.append(column(known)) }
        if isGrouped {
            if chance(3) { columns = [] }
            for _ in 0..<number(1...2) { columns.append((aggregate(known), false)) }
        }
        let isDistinct = chance(4)
        text += " RETURN \(isDistinct ? "DISTINCT " : "")"
        text += columns.enumerated().map { "\($1.text) AS c\($0)" }.joined(separator: ", ")
        var order: [(Int, Bool)] = []
        let scalars = columns.indices.filter { columns[$0].isScalar }
        if !scalars.isEmpty, chance(2) {
            for _ in 0..<number(1...2) { order.append((pick(scalars), chance(2))) }
            text += " ORDER BY " + order.map { "c\($0)\($1 ? " DESC" : "")" }.joined(separator: ", ")
        }
        let limit = chance(4) ? number(0...5) : nil
        let offset = limit != nil && chance(2) ? number(0...3) : 0
        if let limit { text += " LIMIT \(limit)" }
        if offset > 0 { text += " OFFSET \(offset)" }
        return Statement(
            text: text, order: order.map { (column: $0, isDescending: $1) }, isDistinct: isDistinct,
            limit: limit, offset: offset)
    }

    private mutating func column(_ variables: [Variable]) -> (String, Bool) {
        switch number(0...7) {
        case 0, 1: (pick(variables).name, false)
        case 2: ("\(pick(variables).name)._type", true)
        case 3: (string(variables, depth: 1), true)
        case 4: (number(variables, depth: 1), true)
        case 5: ("(" + condition(variables, depth: 1) + ")", true)
        default: (int(variables, depth: 1), true)
        }
    }

    private mutating func aggregate(_ variables: [Variable]) -> String {
        let distinct = chance(3) ? "DISTINCT " : ""
        let condition = chance(4) ? " WHERE \(condition(variables, depth: 0))" : ""
        switch number(0...7) {
        case 0: return "COUNT(*)"
        case 1: return "COUNT(\(distinct)\(pick(variables).name)\(condition))"
        case 2: return "SUM(\(distinct)\(int(variables, depth: 1))\(condition))"
        case 3: return "MIN(\(string(variables, depth: 0))\(condition))"
        case 4: return "MAX(\(int(variables, depth: 1))\(condition))"
        case 5: return "AVG(\(distinct)\(int(variables, depth: 0))\(condition))"
        case 6: return "COLLECT(\(distinct)\(int(variables, depth: 0))\(condition))"
        default: return "COUNT(\(distinct)\(int(variables, depth: 1)))"
        }
    }
}
