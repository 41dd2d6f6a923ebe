internal import MeshCore
internal import MeshIdentity

/// The keys of the graph's rows; numbers are big-endian, so that rows sort as they do.
///
///     graphEntities   entity → EntityRecord
///     graphLinks      entity ‖ edge type ‖ position → PostingList; further chunks by their first entry
///                     ff ‖ target ‖ edge → nothing: a live edge that is hidden until its target is seen
///     graphIndexes    0 ‖ type → count            1 ‖ type ‖ stretch of numbers → Extent
///                     2 ‖ name → IndexRow         3 ‖ index ‖ IndexKey ‖ entity → nothing         4 ‖ index → count
///     graphNames      n ‖ text ↔ N ‖ name         o ‖ author ‖ seq ↔ O ‖ ordinal, see ChangeInfo
///                     k ‖ length ‖ key ‖ type ↔ K ‖ entity                                        c ‖ counter → last
///     graphHistory    entity ‖ add ‖ attribute ‖ time ‖ operation → value; attribute 0 for an end
///
/// Entities, adds and operations are numbers of 64 bits (``LocalID``), names of 32. The history has every write and
/// end, whether it won or not, so that any of them can be taken back; what won is in the entity's record besides.
enum GraphKey {
    // MARK: graphEntities

    static func entity(_ id: UInt64) -> [UInt8] { number([], id) }

    // MARK: graphLinks

    /// The visible edges of type `edge` that have `entity` at `position`; the first chunk's whole key.
    static func list(_ entity: UInt64, _ edge: UInt32, _ position: UInt8) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(32)
        key.append(bigEndian: entity)
        key.append(bigEndian: edge)
        key.append(position)
        return key
    }

    static let listByteCount = 13

    /// What marks the rows of hidden edges; an entity's number never begins so.
    private static let waitingMark: UInt8 = 0xff

    /// That the hidden edge `edge` waits for `target` to become visible.
    static func waiting(_ target: UInt64, _ edge: UInt64) -> [UInt8] {
        number(number([waitingMark], target), edge)
    }

    static func waiting(_ target: UInt64) -> [UInt8] { number([waitingMark], target) }

    // MARK: graphIndexes

    static func typeCount(_ type: UInt32) -> [UInt8] { number([0], type) }
    static func extent(_ type: UInt32) -> [UInt8] { number([1], type) }
    static func extent(_ type: UInt32, _ group: UInt64) -> [UInt8] { number(number([1], type), group) }
    static let definitions: [UInt8] = [2]
    static func definition(_ name: String) -> [UInt8] { [2] + Array(name.utf8) }
    static func index(_ number: UInt32) -> [UInt8] { self.number([3], number) }
    static func rowCount(_ number: UInt32) -> [UInt8] { self.number([4], number) }

    // MARK: graphNames

    static func name(_ text: String) -> [UInt8] { [UInt8(ascii: "n")] + Array(text.utf8) }
    static func nameText(_ id: UInt32) -> [UInt8] { number([UInt8(ascii: "N")], id) }

    static func change(_ author: DID, _ seq: UInt64) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(41)
        key.append(UInt8(ascii: "o"))
        author.publicKey.append(to: &key)
        key.append(bigEndian: seq)
        return key
    }

    static func ordinal(_ ordinal: UInt64) -> [UInt8] { number([UInt8(ascii: "O")], ordinal) }

    static func key(_ key: String) -> [UInt8] {
        var row = [UInt8(ascii: "k")]
        let utf8 = key.utf8
        row.reserveCapacity(utf8.count + 8)
        row.append(UInt8(truncatingIfNeeded: utf8.count >> 8))
        row.append(UInt8(truncatingIfNeeded: utf8.count))
        row.append(contentsOf: utf8)
        return row
    }

    static func key(_ key: String, _ type: UInt32) -> [UInt8] { number(self.key(key), type) }
    static func keyText(_ id: UInt64) -> [UInt8] { number([UInt8(ascii: "K")], id) }

    enum Counter: UInt8 {
        case names, changes, keys, indexes
    }

    static func counter(_ counter: Counter) -> [UInt8] { [UInt8(ascii: "c"), counter.rawValue] }

    // MARK: graphHistory

    /// Everything that was written to one attribute of one add (attribute 0: what ended it).
    static func history(_ entity: UInt64, _ add: UInt64, _ attribute: UInt32) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(40)
        key.append(bigEndian: entity)
        key.append(bigEndian: add)
        key.append(bigEndian: attribute)
        return key
    }

    static func history(_ entity: UInt64, _ add: UInt64) -> [UInt8] { number(number([], entity), add) }

    /// One write, in order of time; `operation` is where it stands.
    static func history(
        _ entity: UInt64, _ add: UInt64, _ attribute: UInt32, _ time: HybridTime, _ operation: UInt64
    ) -> [UInt8] {
        var key = history(entity, add, attribute)
        key.append(bigEndian: UInt64(bitPattern: time.milliseconds) ^ 1 << 63)
        key.append(bigEndian: time.counter)
        key.append(bigEndian: operation)
        return key
    }

    static let historyTimeStart = 20
    static let historyTimeEnd = 32

    private static func number(_ prefix: [UInt8], _ value: UInt64) -> [UInt8] {
        var key = prefix
        key.reserveCapacity(prefix.count + 8)
        key.append(bigEndian: value)
        return key
    }

    private static func number(_ prefix: [UInt8], _ value: UInt32) -> [UInt8] {
        var key = prefix
        key.reserveCapacity(prefix.count + 8)
        key.append(bigEndian: value)
        return key
    }
}
