public import MeshCore
internal import MeshCrypto

/// Where the numbers of a run come from: one seed, split by name.
///
/// What is drawn under one name does not depend on how much is drawn under another, so that adding a
/// node or a fault leaves the rest of a run as it was.
public struct Chance: Sendable {
    public let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
    }

    /// The seed that belongs to `name`.
    public func seed(for name: String) -> UInt64 {
        var bytes: [UInt8] = []
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: seed >> UInt64(shift)))
        }
        return SHA256.hash(bytes + Array(name.utf8)).prefix
    }

    /// A generator of its own for `name`.
    public func generator(for name: String) -> SeededGenerator {
        SeededGenerator(seed: seed(for: name))
    }
}

extension SeededGenerator {
    /// A number from 0 to just below 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Whether something of this probability happens.
    mutating func happens(_ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        return unit() < probability
    }

    /// A number below `count`, which is positive.
    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    /// `count` different numbers below `limit`, in the order drawn; all of them where there are fewer.
    mutating func sample(_ count: Int, below limit: Int) -> [Int] {
        var all = Array(0..<limit)
        var drawn: [Int] = []
        while drawn.count < count, !all.isEmpty { drawn.append(all.remove(at: below(all.count))) }
        return drawn
    }

    /// From the standard normal distribution, by the polar method.
    mutating func normal() -> Double {
        while true {
            let x = 2 * unit() - 1
            let y = 2 * unit() - 1
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            return x * (-2 * Logarithm.natural(square) / square).squareRoot()
        }
    }
}

/// Logarithm and exponential from arithmetic alone, so that a run is the same with any C library.
enum Logarithm {
    private static let ln2 = 0.693_147_180_559_945_3

    /// The natural logarithm of a positive finite number.
    static func natural(_ value: Double) -> Double {
        var mantissa = value.significand
        var exponent = Double(value.exponent)
        if mantissa > 1.414_213_562_373_095_1 {
            mantissa /= 2
            exponent += 1
        }
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var term = ratio
        var sum = 0.0
        for power in stride(from: 1.0, through: 27, by: 2) {
            sum += term / power
            term *= square
        }
        return 2 * sum + exponent * ln2
    }

    /// e to the power of `value`, which lies between −700 and 700.
    static func exponential(_ value: Double) -> Double {
        let whole = (value / ln2).rounded()
        let rest = value - whole * ln2
        var term = 1.0
        var sum = 1.0
        for power in 1...18 {
            term *= rest / Double(power)
            sum += term
        }
        return sum * Double(sign: .plus, exponent: Int(whole), significand: 1)
    }
}
