extension SchemaBuilder {
    /// Builds declarations of one kind, each behind those that it is made of.
    ///
    /// What lies on a circle, or cannot be built, is faulty from then on.
    ///
    /// - Parameters:
    ///   - places: Of the declarations among the entries.
    ///   - needs: The names that a declaration is made of; those of other kinds are left out.
    ///   - circle: What is said of a name that is made of itself.
    ///   - build: Puts a declaration into the schema, or says that it cannot be.
    /// - Returns: The places of those that lie on no circle, in the order in which they were built.
    mutating func buildInOrder(
        _ places: [Int], needs: (SchemaBuilder, Declaration) -> [String], circle: (Name) -> Diagnostic,
        build: (inout SchemaBuilder, Declaration, _ source: Int) -> Bool
    ) -> [Int] {
        var numbers: [String: Int] = [:]
        for (number, place) in places.enumerated() { numbers[entries[place].declaration.name.text] = number }
        let order = DependencyOrder(
            places.map { place in needs(self, entries[place].declaration).compactMap { numbers[$0] } })
        let inOrder = Set(order.order)
        for (number, place) in places.enumerated() where !inOrder.contains(number) {
            let name = entries[place].declaration.name
            faulty.insert(name.text)
            if order.cyclic.contains(number) { report(circle(name), from: entries[place].source) }
        }
        let built = order.order.map { places[$0] }
        for place in built {
            let entry = entries[place]
            if !build(&self, entry.declaration, entry.source) { faulty.insert(entry.declaration.name.text) }
        }
        return built
    }
}
