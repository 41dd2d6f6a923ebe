import MeshCore
import MeshStorage
import Testing

@testable import MeshGraph

/// Holds everything that the tables say against what a twin computed anew.
struct GraphAudit {
    let storage: any StorageReader
    let twin: GraphTwin
    var view: GraphView { GraphView(storage) }

    func run() throws {
        #expect(try GraphDump(view).text() == twin.dump)
        var locals: [EntityID: LocalID] = [:]
        for id in twin.visible.keys.sorted() {
            let local = try #require(try view.localID(id), "\(id) has no number")
            #expect(try view.entityID(local) == id)
            locals[id] = local
        }
        for id in twin.hiddenEdges {
            if let local = try view.localID(id) { #expect(try view.entity(local) == nil) }
        }
        try checkKeys(locals)
        try checkEntities(locals)
        try checkExtents(locals)
        try checkLinks(locals)
        try checkIndexes(locals)
        try checkWaiting()
    }

    private func checkKeys(_ locals: [EntityID: LocalID]) throws {
        for key in ["a", "b", "c", "é/,)", "hub"] {
            let wanted = twin.visible.keys.filter {
                if case .key(_, key) = $0 { true } else { false }
            }
            #expect(try view.localIDs(key: key) == wanted.sorted().map { locals[$0] })
        }
        let first = twin.visible.min { a, b in
            (a.value.adds.min() ?? a.value.adds[0]) < (b.value.adds.min() ?? b.value.adds[0])
        }
        #expect(try view.earliest(of: locals.values.sorted()) == first.flatMap { locals[$0.key] })
    }

    private func checkEntities(_ locals: [EntityID: LocalID]) throws {
        for (id, seen) in twin.visible {
            let local = try #require(locals[id])
            let entity = try #require(try view.entity(local))
            #expect(try view.isVisible(local))
            #expect(try view.name(entity.type) == seen.type)
            #expect(entity.isEdge == seen.isEdge)
            #expect(entity.targets == seen.targets.map { locals[$0] })
            #expect(entity.adds == seen.adds.map(\.add).sorted())
            var attributes: [String: GraphValue] = [:]
            for attribute in entity.attributes { attributes[try view.name(attribute.name)] = attribute.value }
            #expect(attributes == seen.attributes.mapValues(\.value))
            #expect(try view.attributes(of: local) == entity.attributes)
        }
    }

    private func checkExtents(_ locals: [EntityID: LocalID]) throws {
        var byType: [String: [LocalID]] = [:]
        for (id, seen) in twin.visible { byType[seen.type, default: []].append(try #require(locals[id])) }
        for type in RandomChanges.nodeTypes + RandomChanges.edgeTypes {
            let wanted = (byType[type] ?? []).sorted()
            guard let name = try view.nameID(type) else {
                #expect(wanted.isEmpty)
                continue
            }
            var found: [LocalID] = []
            var cursor = view.entities(ofType: name)
            while let next = try cursor.next() { found.append(next) }
            #expect(found == wanted)
            #expect(try view.count(ofType: name) == UInt64(wanted.count))
        }
    }

    private struct List: Hashable {
        let entity: LocalID
        let edge: String
        let position: Int
    }

    private func checkLinks(_ locals: [EntityID: LocalID]) throws {
        var lists: [List: [Posting]] = [:]
        var touching: [LocalID: Set<LocalID>] = [:]
        for (id, seen) in twin.visible {
            let edge = try #require(locals[id])
            for (position, target) in seen.targets.enumerated() {
                let target = try #require(locals[target])
                let peer =
                    seen.targets.count == 2 ? try #require(locals[seen.targets[1 - position]]).rawValue : 0
                lists[List(entity: target, edge: seen.type, position: position), default: []].append(
                    Posting(peer: peer, edge: edge.rawValue))
                touching[target, default: []].insert(edge)
            }
        }
        var rowCount = 0
        try storage.scan(.graphLinks, prefix: []) { key, value throws(StorageError) in
            if key.count == 13, value[0] == 0 { rowCount += (value.count - 1) / 16 }
            if key.count == 29 { rowCount += value.count / 16 }
            return true
        }
        #expect(rowCount == lists.reduce(0) { $0 + $1.value.count }, "rows of links that nothing stands for")
        for (list, wanted) in lists {
            let name = try #require(try view.nameID(list.edge))
            var found: [Posting] = []
            var cursor = view.links(of: list.entity, edge: name, at: list.position)
            while let next = try cursor.next() {
                found.append(Posting(peer: next.peer.rawValue, edge: next.edge.rawValue))
            }
            #expect(found == wanted.sorted())
            #expect(
                try view.linkCount(of: list.entity, edge: name, at: list.position) == wanted.count)
        }
        for (entity, edges) in touching { #expect(try view.edges(touching: entity) == edges.sorted()) }
    }

    private func checkWaiting() throws {
        var waiting: Set<EntityID> = []
        var count = 0
        try storage.scan(.graphLinks, prefix: [0xff]) { key, _ throws(StorageError) in
            var reader = RowReader(key, from: 9)
            waiting.insert(try view.entityID(LocalID(rawValue: reader.number64())))
            count += 1
            return true
        }
        #expect(waiting == twin.hiddenEdges)
        #expect(count == waiting.count)
    }

    private func checkIndexes(_ locals: [EntityID: LocalID]) throws {
        for index in try view.indexes() {
            let definition = index.definition
            var rows: [(key: [UInt8], value: GraphValue, id: LocalID)] = []
            for (id, seen) in twin.visible where definition.types.contains(seen.type) {
                guard let value = seen.attributes[definition.attribute]?.value,
                    let key = IndexKey.encode(value)
                else { continue }
                rows.append((key, value, try #require(locals[id])))
            }
            rows.sort { $0.key != $1.key ? $0.key.lexicographicallyPrecedes($1.key) : $0.id < $1.id }
            #expect(try view.rowCount(of: index) == UInt64(rows.count))
            #expect(try all(view.range(nil, nil, in: index, isDescending: false)) == rows.map(\.id))
            #expect(try all(view.range(nil, nil, in: index, isDescending: true)) == rows.reversed().map(\.id))
            for row in rows {
                let same = rows.filter { $0.key == row.key }.map(\.id)
                #expect(try view.lookUp(row.value, in: index) == same)
                #expect(try all(view.range(row.value, row.value, in: index, isDescending: false)) == same)
                let above = rows.filter {
                    $0.key[0] == row.key[0] && !$0.key.lexicographicallyPrecedes(row.key)
                }
                #expect(
                    try all(view.range(row.value, nil, in: index, isDescending: true))
                        == above.reversed().map(\.id))
                let below = rows.filter {
                    $0.key[0] == row.key[0] && !row.key.lexicographicallyPrecedes($0.key)
                }
                #expect(
                    try all(view.range(nil, row.value, in: index, isDescending: false)) == below.map(\.id))
            }
        }
    }

    private func all(_ cursor: IndexCursor) throws -> [LocalID] {
        var cursor = cursor
        var found: [LocalID] = []
        while let next = try cursor.next() { found.append(next) }
        return found
    }
}
