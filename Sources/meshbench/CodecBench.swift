import CBaseline
import IPLD
import MeshCore
import MeshCrypto
import MeshIdentity

/// The record layer: one receipt-shaped record of 435 bytes written and read, hashing, signing.
///
/// Beside each figure stands a hand-written C codec for exactly this shape, or the bare OpenSSL call.
struct CodecBench: Bench {
    let name = "codec"
    let summary = "typed DAG-CBOR, SHA-256 and Ed25519, beside hand-written C and bare OpenSSL"

    func run() throws -> [BenchRow] {
        let record = SampleRecord()
        let bytes = record.encoded
        try checkAgainstC(bytes, record)
        return codecRows(record, bytes) + (try cryptoRows(bytes))
    }

    /// Figures mean nothing unless both codecs agree on the bytes.
    private func checkAgainstC(_ bytes: [UInt8], _ record: SampleRecord) throws {
        guard bytes.count == 435 else {
            throw BenchFailure("the sample record has \(bytes.count) bytes, not 435")
        }
        var again = [UInt8](repeating: 0, count: bytes.count)
        let count = unsafe mesh_codec_round_trip(bytes, bytes.count, &again, again.count)
        guard count == bytes.count, again == bytes else {
            throw BenchFailure("the C codec does not give the record's bytes back")
        }
        guard try SampleRecord(decoding: bytes) == record else {
            throw BenchFailure("the record does not come back from its own bytes")
        }
    }

    private func codecRows(_ record: SampleRecord, _ bytes: [UInt8]) -> [BenchRow] {
        let rounds: UInt64 = 400_000
        var encoder = DAGCBOREncoder()
        let encode = microseconds(rounds) {
            var sum = 0
            for _ in 0..<rounds {
                encoder.removeAll()
                record.encode(to: &encoder)
                sum &+= encoder.count
            }
            return UInt64(sum)
        }
        let encodeFresh = microseconds(rounds) {
            var sum = 0
            for _ in 0..<rounds { sum &+= record.encoded.count }
            return UInt64(sum)
        }
        let encodeInC = microseconds(rounds) { unsafe mesh_codec_encode_loop(bytes, bytes.count, rounds) }
        let decode = microseconds(rounds) {
            var sum: UInt64 = 0
            for _ in 0..<rounds {
                guard let record = try? SampleRecord(decoding: bytes) else { return 0 }
                sum &+= record.fuel
            }
            return sum
        }
        let skip = microseconds(rounds) {
            var sum = 0
            for _ in 0..<rounds {
                var decoder = DAGCBORDecoder(bytes)
                guard let range = try? decoder.skip() else { return 0 }
                sum &+= range.count
            }
            return UInt64(sum)
        }
        let decodeInC = microseconds(rounds) { unsafe mesh_codec_decode_loop(bytes, bytes.count, rounds) }
        let c = "hand-written C"
        return [
            row("DAG-CBOR encode, 435 B, buffer kept", encode, c, encodeInC, gate: 0.5),
            row("DAG-CBOR encode, 435 B, to an array of its own", encodeFresh, c, encodeInC),
            row("DAG-CBOR decode, 435 B, typed", decode, c, decodeInC, gate: 1),
            row("DAG-CBOR check, 435 B, any shape", skip, c, decodeInC),
        ]
    }

    private func cryptoRows(_ bytes: [UInt8]) throws -> [BenchRow] {
        let message = Array(bytes.prefix(400))
        let hashes: UInt64 = 400_000
        let hash = microseconds(hashes) {
            var sum: UInt64 = 0
            for _ in 0..<hashes { sum &+= SHA256.hash(message).prefix }
            return sum
        }
        let hashInC = microseconds(hashes) { unsafe mesh_codec_sha256_loop(message, 400, hashes) }

        let rounds: UInt64 = 3_000
        let seed = Bytes32([UInt8](repeating: 7, count: 32))
        let key = try Ed25519PrivateKey(seed: seed)
        let signature = key.sign(message)
        let sign = microseconds(rounds) {
            var sum: UInt64 = 0
            for _ in 0..<rounds { sum &+= UInt64(key.sign(message)[0]) }
            return sum
        }
        let seedBytes = seed.bytes
        let signInC = microseconds(rounds) { unsafe mesh_codec_sign_loop(seedBytes, message, 400, rounds) }
        let verify = microseconds(rounds) {
            var sum: UInt64 = 0
            for _ in 0..<rounds where Ed25519.isValid(signature, of: message, in: 0..<400, by: key.publicKey)
            {
                sum &+= 1
            }
            return sum
        }
        let keyBytes = key.publicKey.bytes
        let verifyInC = microseconds(rounds) {
            unsafe mesh_codec_verify_loop(keyBytes, signature, message, 400, rounds)
        }
        return [
            row("SHA-256, 400 B", hash, "SHA256_Init, _Update, _Final in C", hashInC),
            row("Ed25519 sign, 400 B", sign, "EVP_DigestSign, key kept", signInC),
            row("Ed25519 verify, 400 B", verify, "EVP_DigestVerify", verifyInC),
        ]
    }

    private func row(
        _ what: String, _ ours: Double, _ beside: String, _ value: Double, gate: Double? = nil
    ) -> BenchRow {
        BenchRow(
            what: what, ours: ours, unit: "µs", beside: beside, besideValue: value, gate: gate,
            higherIsBetter: false)
    }

    /// The best of five runs of `work`, per round; the sum it returns keeps the work from being optimised away.
    private func microseconds(_ rounds: UInt64, _ work: () -> UInt64) -> Double {
        var best = Duration.seconds(3600)
        for _ in 0..<5 {
            let clock = ContinuousClock()
            let start = clock.now
            let sum = work()
            let elapsed = clock.now - start
            // Every one of these workloads has a sum above zero, unless it failed.
            if sum > 0 { best = min(best, elapsed) }
        }
        return best / .microseconds(1) / Double(rounds)
    }
}
