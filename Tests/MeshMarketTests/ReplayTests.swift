import IPLD
import MeshCore
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Repeating a run", .tags(.Size.small))
struct ReplayTests {
    private static func replay(
        _ result: RunResult = ReceiptScene.result, engine: EngineDescription = ReceiptScene.engine
    ) -> ReceiptReplay {
        { _, request, code in
            // What is run is what the file holds.
            guard code == ReceiptScene.code, request.stdin == ReceiptScene.input else { return nil }
            return (result, engine)
        }
    }

    @Test("the same result verifies, another one fails, and what cannot be repeated is neither")
    func verdicts() throws {
        let scene = ReceiptScene()
        #expect(try scene.verify(replay: Self.replay())[.replay]?.ok == true)
        var other = ReceiptScene.result
        other.metering.fuel += 1
        #expect(try scene.verify(replay: Self.replay(other)).failures.map(\.name) == ["replay"])
        other = ReceiptScene.result
        other.stdout = Array("3".utf8)
        #expect(try scene.verify(replay: Self.replay(other)).failures.map(\.name) == ["replay"])
        let foreign = EngineDescription(
            name: "wasmtime", version: "1.0.0", profile: ReceiptScene.engine.profile)
        let unverifiable = try scene.verify(replay: Self.replay(engine: foreign))
        #expect(unverifiable.ok)
        #expect(unverifiable[.replay]?.ok == nil)
        #expect(try scene.verify(replay: { _, _, _ in nil })[.replay]?.ok == nil)
        #expect(try scene.verify()[.replay] == nil)
    }

    @Test("a time limit is not repeated")
    func timeLimit() throws {
        let scene = ReceiptScene.changed { $0.changeReceipt = { $0.outcome = RunOutcome(.time) } }
        let verification = try scene.verify { _, _, _ in
            Issue.record("the run was repeated")
            return nil
        }
        let check = try #require(verification[.replay])
        #expect(check.ok == nil)
        #expect(check.detail.hasPrefix("unverifiable"))
    }

    private func archive(_ identity: Identity, _ result: RunResult = ReceiptScene.result) -> [UInt8]? {
        let code = Block(ReceiptScene.code, codec: .raw)
        let input = Block(ReceiptScene.input, codec: .raw)
        let manifest = BlobListCase.manifest(
            identity, code: code.cid, input: input.cid, size: input.bytes.count)
        return LocalRun.archive(
            manifest, inputs: [code, input], result: result, engine: ReceiptScene.engine,
            started: Timestamp(milliseconds: 1), finished: Timestamp(milliseconds: 2), signer: identity)?.file
    }

    @Test("a local run is accepted once it has been repeated with the same result")
    func accepted() throws {
        let identity = ReceiptScene.identity(8)
        let file = try #require(archive(identity))
        let verification = ReceiptVerifier().verify(file)
        #expect(verification.ok)
        #expect(verification.checks.count == 11)
        let accepted = try LocalRun.accept(file, replay: Self.replay())
        #expect(accepted.receipt.executor == identity.did)
        #expect(accepted.manifest.submitter == identity.did)
        let held = Set(accepted.blobs.map(\.cid))
        #expect(held.contains(accepted.manifest.code))
        #expect(accepted.receipt.outputs.allSatisfy { held.contains($0.cid) })
    }

    @Test("a local run with another result, a damaged file and an awarded receipt are refused by code")
    func refused() throws {
        let file = try #require(archive(ReceiptScene.identity(8)))
        func code(_ file: [UInt8], _ replay: @escaping ReceiptReplay) -> String? {
            do throws(LocalRun.Refusal) {
                _ = try LocalRun.accept(file, replay: replay)
                return nil
            } catch {
                return error.code
            }
        }
        var other = ReceiptScene.result
        other.stdout = []
        #expect(code(file, Self.replay(other)) == "receipt.mismatch")
        #expect(code(file, { _, _, _ in nil }) == "receipt.mismatch")
        #expect(code(Array(file.dropLast()), Self.replay()) == "receipt.invalid")
        #expect(code(try ReceiptScene().file(), Self.replay()) == "receipt.invalid")
    }
}
