internal import MeshStorage

/// One entry of a posting list: an edge, behind the entity at its other end.
struct Posting: Comparable {
    /// The other target of a binary edge; 0 for any other edge.
    let peer: UInt64
    let edge: UInt64

    static let byteCount = 16

    static func < (a: Self, b: Self) -> Bool {
        a.peer != b.peer ? a.peer < b.peer : a.edge < b.edge
    }
}

/// The visible edges of one type at one position of one entity, sorted, in rows of about 2 KiB.
///
/// A short list is one row: a zero byte and its entries. A long one has a row with a one and the count, and its
/// entries in further rows, whose keys go on with the first of them.
struct PostingList {
    static let chunkCountMax = 126
    private static let chunkCountFilled = 96
    /// A long list becomes short again when no more than this is left.
    private static let shortCountMax = 48

    let key: [UInt8]
    let storage: any StorageWriter

    /// Puts and removes entries, which are sorted and differ; what is there already, or gone already, is no error.
    func change(_ changes: [(posting: Posting, isInserted: Bool)]) throws(StorageError) {
        let row = try storage.value(forKey: key, in: .graphLinks)
        if let row, row.first == 1 {
            try changeLong(Self.longCount(row), changes)
            return
        }
        let before = try row.map { row throws(StorageError) in try Self.postings(row, from: 1) } ?? []
        let after = Self.merge(before, changes[...])
        if after.count <= Self.chunkCountMax {
            try putShort(after, wasThere: row != nil)
        } else {
            try putChunks(after)
            try putCount(after.count)
        }
    }

    private func changeLong(
        _ count: Int, _ changes: [(posting: Posting, isInserted: Bool)]
    ) throws(StorageError) {
        var count = count
        var next = 0
        while next < changes.count {
            let chunk = try chunk(for: changes[next].posting)
            var end = next + 1
            if let limit = chunk.limit {
                while end < changes.count, changes[end].posting < limit { end += 1 }
            } else {
                end = changes.count
            }
            let before = chunk.postings
            let after = Self.merge(before, changes[next..<end])
            if let first = before.first, after.first != first {
                try storage.remove(chunkKey(first), in: .graphLinks)
            }
            try putChunks(after)
            count += after.count - before.count
            next = end
        }
        guard count <= Self.shortCountMax else { return try putCount(count) }
        var left: [Posting] = []
        var keys: [[UInt8]] = []
        try storage.scan(.graphLinks, prefix: key) { key, value throws(StorageError) in
            if key.count > GraphKey.listByteCount {
                keys.append(key)
                left += try Self.postings(value, from: 0)
            }
            return true
        }
        for key in keys { try storage.remove(key, in: .graphLinks) }
        try putShort(left, wasThere: true)
    }

    /// The chunk where a posting belongs, and where the chunk behind it begins.
    private func chunk(
        for posting: Posting
    ) throws(StorageError) -> (postings: [Posting], limit: Posting?) {
        var found: (key: [UInt8], value: [UInt8])?
        try storage.scan(.graphLinks, prefix: key, from: chunkKey(posting), reversed: true) {
            key, value throws(StorageError) in
            if key.count > GraphKey.listByteCount { found = (key, value) }
            return false
        }
        var limit: Posting?
        let start = (found?.key ?? key) + [0]
        var isFirst = found == nil
        try storage.scan(.graphLinks, prefix: key, from: start, reversed: false) {
            key, value throws(StorageError) in
            if isFirst {
                isFirst = false
                found = (key, value)
                return true
            }
            var reader = RowReader(key, from: GraphKey.listByteCount)
            limit = Posting(peer: try reader.number64(), edge: try reader.number64())
            return false
        }
        return (try Self.postings(found?.value ?? [], from: 0), limit)
    }

    private func chunkKey(_ first: Posting) -> [UInt8] {
        var key = key
        key.append(bigEndian: first.peer)
        key.append(bigEndian: first.edge)
        return key
    }

    private func putShort(_ postings: [Posting], wasThere: Bool) throws(StorageError) {
        if postings.isEmpty {
            if wasThere { try storage.remove(key, in: .graphLinks) }
            return
        }
        try storage.put(Self.row(postings[...], startingWith: [0]), forKey: key, in: .graphLinks)
    }

    private func putCount(_ count: Int) throws(StorageError) {
        var row: [UInt8] = [1]
        row.append(bigEndian: UInt64(count))
        try storage.put(row, forKey: key, in: .graphLinks)
    }

    /// Where the chunk that begins at `start` ends, of a list that ends at `end`.
    static func chunkEnd(_ start: Int, _ end: Int) -> Int {
        end - start <= chunkCountMax ? end : start + chunkCountFilled
    }

    private func putChunks(_ postings: [Posting]) throws(StorageError) {
        var start = 0
        while start < postings.count {
            let end = Self.chunkEnd(start, postings.count)
            let part = postings[start..<end]
            try storage.put(
                Self.row(part, startingWith: []), forKey: chunkKey(postings[start]), in: .graphLinks)
            start = end
        }
    }

    // MARK: Rows

    static func longCount(_ row: [UInt8]) throws(StorageError) -> Int {
        var reader = RowReader(row, from: 1)
        guard let count = Int(exactly: try reader.number64()) else { throw RowReader.corrupt() }
        return count
    }

    static func postings(_ row: [UInt8], from start: Int) throws(StorageError) -> [Posting] {
        var reader = RowReader(row, from: start)
        guard reader.remaining % Posting.byteCount == 0 else { throw RowReader.corrupt() }
        var postings: [Posting] = []
        postings.reserveCapacity(reader.remaining / Posting.byteCount)
        while !reader.isAtEnd {
            postings.append(Posting(peer: try reader.number64(), edge: try reader.number64()))
        }
        return postings
    }

    private static func row(_ postings: ArraySlice<Posting>, startingWith head: [UInt8]) -> [UInt8] {
        var row = head
        row.reserveCapacity(head.count + postings.count * Posting.byteCount)
        for posting in postings {
            row.append(bigEndian: posting.peer)
            row.append(bigEndian: posting.edge)
        }
        return row
    }

    private static func merge(
        _ before: [Posting], _ changes: ArraySlice<(posting: Posting, isInserted: Bool)>
    ) -> [Posting] {
        var after: [Posting] = []
        after.reserveCapacity(before.count + changes.count)
        var index = 0
        for change in changes {
            while index < before.count, before[index] < change.posting {
                after.append(before[index])
                index += 1
            }
            if index < before.count, before[index] == change.posting { index += 1 }
            if change.isInserted { after.append(change.posting) }
        }
        after.append(contentsOf: before[index...])
        return after
    }
}
