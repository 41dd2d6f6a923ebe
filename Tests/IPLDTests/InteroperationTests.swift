import Foundation
import IPLD
import MeshCore
import MeshTestSupport
import Testing

/// The Python packages that read our bytes, installed once by `.ci/interop`.
private enum Python {
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Where the packages lie, or `nil` when Python, pip or the network are not there.
    static let packages: String? = {
        guard let result = try? run(["bash", package.path + "/.ci/interop"], path: nil), result.status == 0
        else {
            return nil
        }
        return String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    static let missing: String =
        "the Python packages of .ci/interop could not be installed here: they need python3, pip and PyPI once"

    /// Runs one program to its end; its output goes through a file, so that no pipe can fill up.
    static func run(_ arguments: [String], path: String?) throws -> (status: Int32, output: Data) {
        let folder = try TemporaryDirectory()
        let output = folder.file("output")
        #expect(FileManager.default.createFile(atPath: output, contents: nil))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "90"] + arguments
        process.standardOutput = handle
        if let path {
            process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": path]) { $1 }
        }
        try process.run()
        process.waitUntilExit()
        try handle.close()
        return (process.terminationStatus, try Data(contentsOf: URL(fileURLWithPath: output)))
    }
}

@Suite("Independent implementations agree", .tags(.Size.medium))
struct InteroperationTests {
    @Test(
        "a CAR of ours is read in Python, where every block has the hash that its CID names",
        .enabled(if: Python.packages != nil, "\(Python.missing)"))
    func carInPython() throws {
        let folder = try TemporaryDirectory()
        let records = [Block(sampleItem.encoded, codec: .dagCBOR), Block([0xa0], codec: .dagCBOR)]
        let all = records + [Block([1, 2, 3], codec: .raw), Block([], codec: .raw)]
        // libipld reads archives of DAG-CBOR blocks only, so it gets one without the raw ones.
        for (name, blocks) in [("records.car", records), ("all.car", all)] {
            let car = CAR(roots: [blocks[0].cid], blocks: blocks)
            try Data(car.encoded).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        // libipld and this script frame the file, multiformats reads the CIDs; hashing is Python's own.
        let script = """
            import hashlib, sys
            import dag_cbor, libipld
            from multiformats import CID
            def varint(data, at):
                value = shift = 0
                while True:
                    byte = data[at]; at += 1
                    value |= (byte & 127) << shift; shift += 7
                    if byte < 128: return value, at
            def blocks(path):
                data = open(path, "rb").read()
                length, at = varint(data, 0)
                header = dag_cbor.decode(data[at:at + length])
                assert header["version"] == 1
                yield "root", header["roots"][0], b""
                at += length
                while at < len(data):
                    length, at = varint(data, at)
                    cid, block = CID.decode(data[at:at + 36]), data[at + 36:at + length]
                    assert cid.hashfun.name == "sha2-256" and cid.raw_digest == hashlib.sha256(block).digest(), cid
                    yield "block", cid, block
                    at += length
            ours = [item for item in blocks(sys.argv[1]) if item[0] == "block"]
            header, theirs = libipld.decode_car(open(sys.argv[1], "rb").read())
            assert header["version"] == 1 and len(theirs) == len(ours)
            for what, cid, block in ours:
                dag_cbor.decode(block)
            for what, cid, block in blocks(sys.argv[2]):
                print(what, cid.encode("base32"), cid.codec.name, block.hex() or "-")
            """
        try Data(script.utf8).write(to: URL(fileURLWithPath: folder.file("read.py")))
        let result = try Python.run(
            ["python3", folder.file("read.py"), folder.file("records.car"), folder.file("all.car")],
            path: Python.packages)
        #expect(result.status == 0)
        let names = ["dag-cbor", "dag-cbor", "raw", "raw"]
        let expected =
            ["root \(all[0].cid) dag-cbor -"]
            + zip(all, names).map {
                "block \($0.cid) \($1) \($0.bytes.isEmpty ? "-" : Hexadecimal.encode($0.bytes))"
            }
        #expect(
            String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init) == expected
        )
    }

    @Test(
        "DAG-CBOR that Python's dag-cbor writes is read here and written back to the same bytes",
        .enabled(if: Python.packages != nil, "\(Python.missing)"))
    func dagCBORFromPython() throws {
        let folder = try TemporaryDirectory()
        let script = """
            import random, sys
            import dag_cbor
            from multiformats import CID
            chance = random.Random(20261121)
            cid = CID.decode("bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua")
            def text():
                return "".join(chance.choice("abcxyz0_\\u00e4\\u4f60\\U0001f600") for _ in range(chance.randrange(30)))
            def value(depth):
                kind = chance.randrange(9 if depth else 7)
                if kind == 0: return chance.choice([None, True, False])
                if kind == 1: return chance.randrange(-2**64, 2**64) >> chance.randrange(64)
                if kind == 2: return chance.uniform(-1e300, 1e300)
                if kind == 3: return text()
                if kind == 4: return bytes(chance.randrange(256) for _ in range(chance.randrange(300)))
                if kind == 5: return cid
                if kind == 6: return chance.randrange(100)
                if kind == 7: return [value(depth - 1) for _ in range(chance.randrange(30))]
                return {text(): value(depth - 1) for _ in range(chance.randrange(30))}
            for _ in range(300):
                print(dag_cbor.encode(value(3)).hex())
            """
        try Data(script.utf8).write(to: URL(fileURLWithPath: folder.file("write.py")))
        let result = try Python.run(["python3", folder.file("write.py")], path: Python.packages)
        #expect(result.status == 0)
        let items = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        #expect(items.count == 300)
        for item in items {
            let bytes = try #require(Hexadecimal.decode(String(item)))
            #expect(try IPLDValue(decoding: bytes).encoded == bytes)
        }
    }
}
