internal import MeshGraph

/// The rows of system types that one script has met, numbered so that slots can hold them.
///
/// All that one script evaluates shares it: a number means the same row in a rule as in the statement.
final class VirtualEntities {
    private let tables: (any VirtualTables)?
    private var met: [(type: String, row: VirtualRow)] = []
    private var numbers: [String: UInt64] = [:]

    init(_ tables: (any VirtualTables)?) {
        self.tables = tables
    }

    func row(_ id: LocalID) -> (type: String, row: VirtualRow)? {
        guard id.isVirtual else { return nil }
        let number = Int(id.rawValue & ~(1 << 63))
        return number < met.count ? met[number] : nil
    }

    func rows(_ type: String, where key: (attribute: String, value: GraphValue)?) throws -> [LocalID] {
        guard let tables else { return [] }
        return try tables.rows(ofType: type, where: key).map { row in
            let name = type + "/" + row.key
            if let number = numbers[name] { return .virtual(number) }
            let number = UInt64(met.count)
            met.append((type, row))
            numbers[name] = number
            return .virtual(number)
        }
    }
}
