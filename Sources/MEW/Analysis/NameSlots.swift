internal import MeshGraph
internal import MeshStorage

/// The names that a program mentions, and the numbers they have in a replica.
///
/// A name that nothing bears yet has no number, and is asked for again before the next run; a number, once
/// given, stays. Used by one thread.
final class NameSlots {
    private(set) var texts: [String] = []
    private(set) var ids: [NameID?] = []
    private var places: [String: Int] = [:]
    private var isComplete = true

    /// The place of `text`, made where it is new.
    func slot(_ text: String) -> NameSlot {
        if let index = places[text] { return NameSlot(index: index, text: text) }
        let index = texts.count
        texts.append(text)
        ids.append(nil)
        places[text] = index
        isComplete = false
        return NameSlot(index: index, text: text)
    }

    func id(_ slot: NameSlot) -> NameID? { ids[slot.index] }

    /// Looks up the numbers that are not known yet.
    func resolve(_ view: GraphView) throws(StorageError) {
        guard !isComplete else { return }
        isComplete = true
        for index in ids.indices where ids[index] == nil {
            ids[index] = try view.nameID(texts[index])
            if ids[index] == nil { isComplete = false }
        }
    }
}
