/// The strings of a module, each once, and where they lie in its memory.
struct StringPool {
    /// Equal by its bytes: `String` takes texts for equal that differ in how their characters are composed.
    private struct Key: Hashable {
        let text: String

        static func == (a: Key, b: Key) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    /// All strings, one behind the other, in the order of their first use.
    private(set) var bytes: [UInt8] = []
    private(set) var starts: [Int] = []
    private(set) var lengths: [Int] = []
    private var numbers: [Key: Int] = [:]

    /// The number of a string, which stays the same.
    mutating func number(of text: String) -> Int {
        let key = Key(text: text)
        if let number = numbers[key] { return number }
        let number = starts.count
        numbers[key] = number
        starts.append(bytes.count)
        bytes.append(contentsOf: text.utf8)
        lengths.append(bytes.count - starts[number])
        return number
    }

    /// Where each string lies, and the bytes from address 0 on.
    ///
    /// A string that occurs within another lies there. Of the others the shorter come first: more of them then
    /// have an address that is short to write.
    func layout() -> (addresses: [Int], bytes: [UInt8]) {
        let homes = SharedStrings(self).homes
        var addresses = [Int](repeating: 0, count: starts.count)
        var data: [UInt8] = []
        let byLength = starts.indices.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
        for number in byLength where homes[number] == nil && lengths[number] > 0 {
            addresses[number] = data.count
            data.append(contentsOf: bytes[starts[number]..<starts[number] + lengths[number]])
        }
        // A home is longer than what it holds, so it has its address first.
        for number in byLength.reversed() {
            if let home = homes[number] { addresses[number] = addresses[home.number] + home.offset }
        }
        return (addresses, data)
    }
}
