/// Lists of constants that loops read from memory, eight bytes each.
struct ConstantTables {
    enum Entry: Hashable {
        case string(Int)
        case bits(UInt64)
    }

    private(set) var tables: [[Entry]] = []
    private var numbers: [[Entry]: Int] = [:]

    /// The number of a table; equal ones are one.
    mutating func number(of table: [Entry]) -> Int {
        if let number = numbers[table] { return number }
        numbers[table] = tables.count
        tables.append(table)
        return tables.count - 1
    }
}
