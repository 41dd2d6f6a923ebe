import CBaseline
import CLinux
import Foundation
import Glibc

/// What the disk gives to a program that keeps bytes and nothing else, for durable figures to stand beside.
struct BareDisk {
    /// An existing folder, for files of this.
    let folder: String

    /// How many times a second all of `pieces` are appended to one file, with one `fdatasync` a group.
    func appended(_ pieces: [[UInt8]], groups: Int, groupSize: Int) throws -> Double {
        let file = try open("\(folder)/appended", O_WRONLY | O_CREAT | O_TRUNC)
        defer { close(file) }
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<groups {
            var group: [UInt8] = []
            for _ in 0..<groupSize { for piece in pieces { group += piece } }
            try write(group, file)
            guard fdatasync(file) == 0 else { throw BenchFailure("the disk cannot be waited for") }
        }
        return Double(groups * groupSize) / ((clock.now - start) / .seconds(1))
    }

    /// How many times a second each of `pieces` becomes a file in a folder of its own, with one `syncfs` for the first
    /// pieces of a group and one for each of the others.
    func files(_ pieces: [[UInt8]], groups: Int, groupSize: Int) throws -> Double {
        let root = try open(folder, O_RDONLY | O_DIRECTORY)
        defer { close(root) }
        let clock = ContinuousClock()
        let start = clock.now
        for group in 0..<groups {
            for (index, piece) in pieces.enumerated() {
                for number in 0..<groupSize {
                    let place = "\(folder)/\(group)-\(number)"
                    if index == 0, unsafe mkdir(place, 0o755) != 0 {
                        throw BenchFailure("no folder \(place)")
                    }
                    let file = try open("\(place)/\(index).json", O_WRONLY | O_CREAT | O_EXCL)
                    defer { close(file) }
                    try write(piece, file)
                }
                guard syncfs(root) == 0 else { throw BenchFailure("the disk cannot be waited for") }
            }
        }
        return Double(groups * groupSize) / ((clock.now - start) / .seconds(1))
    }

    /// What one `fdatasync` of 4 KiB takes, in seconds.
    func syncMedian() throws -> Double {
        var seconds = [Double](repeating: 0, count: 200)
        guard unsafe mesh_store_fsync("\(folder)/fsync", seconds.count, &seconds) == 0 else {
            throw BenchFailure("the disk cannot be waited for")
        }
        return seconds.sorted()[seconds.count / 2]
    }

    private func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let file = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw BenchFailure("\(path) cannot be opened") }
        return file
    }

    private func write(_ bytes: [UInt8], _ file: Int32) throws {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw BenchFailure("the disk takes no more") }
    }
}
