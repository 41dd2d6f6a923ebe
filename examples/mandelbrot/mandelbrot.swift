// Draws the Mandelbrot set on a grid, in Embedded Swift, and prints how many points lie inside and a
// checksum over the number of steps that every other point took to escape.

@_extern(wasm, module: "wasi_snapshot_preview1", name: "fd_write")
@_extern(c)
func fd_write(
    _ descriptor: UInt32, _ vectors: UnsafeRawPointer, _ count: UInt32, _ written: UnsafeMutableRawPointer
) -> UInt32

struct Vector {
    var bytes: UnsafeRawPointer
    var count: UInt32
}

let width = 300
let height = 200
let stepsMax = 200

@_expose(wasm, "run")
@_cdecl("run")
func run() -> Int32 {
    var inside: UInt64 = 0
    var checksum: UInt64 = 0xcbf2_9ce4_8422_2325
    for row in 0..<height {
        for column in 0..<width {
            let real = -2.25 + 3.0 * Double(column) / Double(width)
            let imaginary = -1.0 + 2.0 * Double(row) / Double(height)
            let steps = stepsToEscape(real, imaginary)
            if steps == stepsMax { inside += 1 }
            checksum = (checksum ^ UInt64(steps)) &* 0x100_0000_01b3
        }
    }
    return print(inside, checksum)
}

func stepsToEscape(_ real: Double, _ imaginary: Double) -> Int {
    var x = 0.0
    var y = 0.0
    for step in 0..<stepsMax {
        if x * x + y * y > 4 { return step }
        (x, y) = (x * x - y * y + real, 2 * x * y + imaginary)
    }
    return stepsMax
}

/// Writes both numbers and a newline to standard output.
///
/// - Returns: The exit status.
func print(_ first: UInt64, _ second: UInt64) -> Int32 {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { text in
        var next = text.count - 1
        text[next] = 10
        func put(_ number: UInt64) {
            var rest = number
            repeat {
                next -= 1
                text[next] = UInt8(48 + rest % 10)
                rest /= 10
            } while rest > 0
        }
        put(second)
        next -= 1
        text[next] = 32
        put(first)
        guard let base = text.baseAddress else { return 1 }
        var vector = Vector(bytes: UnsafeRawPointer(base + next), count: UInt32(text.count - next))
        var written: UInt32 = 0
        return Int32(bitPattern: fd_write(1, &vector, 1, &written))
    }
}
