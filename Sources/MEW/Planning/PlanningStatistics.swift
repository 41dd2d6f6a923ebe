internal import MeshGraph

/// What the planner knows of the graph when it chooses.
protocol PlanningStatistics {
    /// How many entities there are of exactly this type.
    func count(ofType name: String) -> Double
    /// The indexes over an attribute.
    func indexes(on attribute: String) -> [GraphIndex]
    func rowCount(of index: GraphIndex) -> Double
}

/// The counts that the graph keeps.
struct GraphStatistics: PlanningStatistics {
    let view: GraphView
    private let indexes: [GraphIndex]

    /// - Throws: What the store throws.
    init(_ view: GraphView) throws {
        self.view = view
        indexes = try view.indexes()
    }

    // Estimates: a table that cannot be read fails where it is read for good.
    func count(ofType name: String) -> Double {
        guard let found = try? view.nameID(name), let count = try? view.count(ofType: found) else { return 0 }
        return Double(count)
    }

    func indexes(on attribute: String) -> [GraphIndex] {
        indexes.filter { $0.definition.attribute == attribute }
    }

    func rowCount(of index: GraphIndex) -> Double { (try? view.rowCount(of: index)).map(Double.init) ?? 0 }
}
