public import MeshCore
public import Testing

import Foundation

/// The seed of one randomised case; printed by name when the case fails.
public struct Seed: Hashable, Sendable, CustomTestStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public var testDescription: String { "MESH_SEED=\(rawValue)" }

    /// A generator that starts from this seed.
    public var generator: SeededGenerator { SeededGenerator(seed: rawValue) }

    /// `count` seeds, or only the one named by `MESH_SEED` when replaying a failure.
    public static func sample(_ count: UInt64) -> [Seed] {
        if let text = ProcessInfo.processInfo.environment["MESH_SEED"], let one = UInt64(text) {
            return [Seed(rawValue: one)]
        }
        return (1...count).map(Seed.init(rawValue:))
    }
}

extension Tag {
    /// How much of the system a test exercises.
    public enum Size {}
}

extension Tag.Size {
    /// One type, no I/O, milliseconds.
    @Tag public static var small: Tag
    /// Several modules, real files or loopback sockets.
    @Tag public static var medium: Tag
    /// Whole daemons or long runs.
    @Tag public static var large: Tag
}
