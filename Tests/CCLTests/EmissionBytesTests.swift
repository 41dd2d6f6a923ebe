@testable internal import CCL
internal import Testing

@Suite("The bytes of modules")
struct EmissionBytesTests {
    @Test(
        "Unsigned numbers take seven bits a byte",
        arguments: [
            (0, [0]), (127, [0x7f]), (128, [0x80, 1]), (16383, [0xff, 0x7f]), (16384, [0x80, 0x80, 1]),
            (624_485, [0xe5, 0x8e, 0x26]), (UInt64.max, [UInt8](repeating: 0xff, count: 9) + [1]),
        ] as [(UInt64, [UInt8])])
    func unsigned(value: UInt64, expected: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.appendUnsigned(value)
        #expect(bytes == expected)
        #expect(LEB128.size(unsigned: value) == expected.count)
    }

    @Test(
        "Signed numbers keep their sign in the last byte",
        arguments: [
            (0, [0]), (63, [0x3f]), (64, [0xc0, 0]), (-1, [0x7f]), (-64, [0x40]), (-65, [0xbf, 0x7f]),
            (-123_456, [0xc0, 0xbb, 0x78]), (8191, [0xff, 0x3f]), (8192, [0x80, 0xc0, 0]),
            (Int64.max, [UInt8](repeating: 0xff, count: 9) + [0]),
            (Int64.min, [UInt8](repeating: 0x80, count: 9) + [0x7f]),
        ] as [(Int64, [UInt8])])
    func signed(value: Int64, expected: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.appendSigned(value)
        #expect(bytes == expected)
        #expect(LEB128.size(signed: value) == expected.count)
    }

    @Test("The size that is said beforehand is the size that is written, at every power of two")
    func sizes() {
        for shift in 0..<64 {
            for delta: UInt64 in [0, 1, .max] {
                let value = (1 as UInt64) << shift &+ delta
                var bytes: [UInt8] = []
                bytes.appendUnsigned(value)
                #expect(bytes.count == LEB128.size(unsigned: value))
                for signed in [Int64(bitPattern: value), 0 &- Int64(bitPattern: value)] {
                    bytes.removeAll()
                    bytes.appendSigned(signed)
                    #expect(bytes.count == LEB128.size(signed: signed))
                }
            }
        }
    }

    @Test("A section is its number, its length and its content")
    func section() {
        var bytes: [UInt8] = []
        bytes.appendSection(7, [UInt8](repeating: 1, count: 200))
        #expect(bytes.prefix(3) == [7, 0xc8, 1] && bytes.count == 203)
        bytes.removeAll()
        bytes.appendName("é")
        #expect(bytes == [2, 0xc3, 0xa9])
    }

    @Test(
        "VLQ numbers take five bits a digit, the sign the lowest",
        arguments: [
            (0, "A"), (1, "C"), (-1, "D"), (15, "e"), (16, "gB"), (-16, "hB"), (511, "+f"), (512, "ggB"),
        ])
    func vlq(value: Int, expected: String) {
        var bytes: [UInt8] = []
        SourceMap.appendVLQ(value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("Numbers are written the shortest way")
    func constants() {
        var code = CodeBuffer()
        code.i64(1 << 40)
        #expect(code.bytes == [0x42, 1, 0x42, 40, 0x86])
        code = CodeBuffer()
        code.f64(1000)
        #expect(code.bytes == [0x41, 0xe8, 7, 0xb7])
        code = CodeBuffer()
        code.f64(0.5)
        #expect(code.bytes == [0x43, 0, 0, 0, 0x3f, 0xbb])
        code = CodeBuffer()
        code.f64(0.1)
        #expect(code.bytes.count == 9)
        code = CodeBuffer()
        code.f64(-0.0)
        #expect(code.bytes == [0x43, 0, 0, 0, 0x80, 0xbb])
        code = CodeBuffer()
        code.set(3)
        code.get(3)
        #expect(code.bytes == [0x22, 3])
    }
}
