public import MeshCore
internal import Testing

import Foundation

/// Texts of a language that are spoilt at random, alike for every language that the project reads.
public struct TextFuzzer: Sendable {
    /// What the texts are, such as `contracts`.
    private let noun: String
    private let corpus: [[UInt8]]
    private let dictionary: [String]
    private let grown: @Sendable (inout SeededGenerator) -> [UInt8]?

    /// - Parameters:
    ///   - noun: What the texts are, such as `contracts`.
    ///   - corpus: Texts to spoil; at least one.
    ///   - dictionary: What texts are made of, and what lies at the edges of it; at least one.
    ///   - grown: A text that stands in no file, now and then; `nil` otherwise.
    public init(
        _ noun: String, corpus: [[UInt8]], dictionary: [String],
        grown: @escaping @Sendable (inout SeededGenerator) -> [UInt8]?
    ) {
        self.noun = noun
        self.corpus = corpus
        self.dictionary = dictionary
        self.grown = grown
    }

    /// The two texts of a seed.
    public func texts(_ seed: Seed) -> [[UInt8]] {
        var generator = seed.generator
        return (0..<2).map { _ in spoilt(&generator) }
    }

    private func spoilt(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus[Int.random(in: 0..<corpus.count, using: &generator)]
        if let text = grown(&generator) { bytes = text }
        // A short piece is spoilt more tellingly than a whole file.
        if Bool.random(using: &generator), bytes.count > 200 {
            let start = Int.random(in: 0..<bytes.count - 100, using: &generator)
            bytes = Array(bytes[start..<min(bytes.count, start + 400)])
        }
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 0...20, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 2 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 3: bytes.removeLast(bytes.count - place)
            case 4:
                let other = corpus[Int.random(in: 0..<corpus.count, using: &generator)]
                let from = Int.random(in: 0...other.count, using: &generator)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 40)], at: place)
            case 5:
                let piece = Array(bytes[place..<end])
                let count = Int.random(in: 1...300, using: &generator)
                bytes.insert(contentsOf: Array(repeatElement(piece, count: count).joined()), at: place)
            default:
                let word = dictionary[Int.random(in: 0..<dictionary.count, using: &generator)]
                bytes.insert(contentsOf: Array(word.utf8), at: place)
            }
        }
        return bytes
    }

    /// Records what does not hold of a text, with the seed that makes it again.
    public static func record(_ wrong: [String], of bytes: [UInt8], _ seed: Seed) {
        for wrong in wrong {
            let source = String(decoding: bytes, as: UTF8.self).debugDescription
            Issue.record("\(seed.testDescription): \(source)\n\(wrong)")
        }
    }

    /// For how long ``runForLong(_:)`` goes on: `MESH_FUZZ_SECONDS`.
    public static let seconds = ProcessInfo.processInfo.environment["MESH_FUZZ_SECONDS"].flatMap(Int.init)

    /// Hands text upon text to `judge`, from seeds that differ each time, and returns how many.
    public func runForLong(_ judge: ([UInt8], Seed) -> Void) -> Int {
        let end = ContinuousClock.now + .seconds(Self.seconds ?? 0)
        var seed = UInt64.random(in: 1...UInt64(UInt32.max))
        var count = 0
        while ContinuousClock.now < end {
            // What was running when the process dies is within the thousand that was named last.
            if count.isMultiple(of: 1000) { print("fuzz: \(count) \(noun), at MESH_SEED=\(seed)") }
            for text in texts(Seed(rawValue: seed)) {
                judge(text, Seed(rawValue: seed))
                count += 1
            }
            seed += 1
        }
        print("fuzz: \(count) \(noun)")
        return count
    }
}
