import Foundation
import IPLD
import MeshCore
import MeshRuntime
import MeshTestSupport
import Testing

@testable import WasmRuntime

@Suite("A worker without its parent", .tags(.Size.medium))
struct OrphanTests {
    @Test("a worker leaves in the middle of a job when its parent's end of the socket is gone")
    func orphan() throws {
        let configuration = Fixture.configuration(workers: 1)
        let process = try WorkerProcess(
            executable: Fixture.workerExecutable,
            arguments: configuration.workerArguments
                + [Fixture.libraryPath, String(configuration.memoryBytesMax)])
        defer { process.end() }
        try process.awaitHello(milliseconds: 20_000)
        let burn = try Fixture.example("burn")
        let buffer = ByteBuffer(capacity: 4096)
        JobEncoding.module(
            ModuleImage(cid: CID(of: burn, codec: .raw), code: burn), slot: 0, 1, into: buffer)
        JobEncoding.job(Fixture.request(burn, fuel: .max, wall: 600_000), slot: 0, 1, into: buffer)
        let bytes = unsafe buffer.bytes
        #expect(unsafe send(process.socket, bytes.baseAddress, bytes.count, 0) == bytes.count)
        let deadline = ContinuousClock.now + .seconds(20)
        while !process.page.isRunning, ContinuousClock.now < deadline { sched_yield() }
        #expect(process.page.isRunning)

        #expect(shutdown(process.socket, Int32(SHUT_RDWR)) == 0)
        var information = unsafe siginfo_t()
        var hasEnded = false
        while !hasEnded, ContinuousClock.now < deadline {
            // Left to be reaped by `end()`.
            let options = WEXITED | WNOHANG | WNOWAIT
            hasEnded =
                unsafe waitid(P_PID, id_t(process.identifier), &information, options) == 0
                && information.si_signo == SIGCHLD
            sched_yield()
        }
        #expect(hasEnded)
    }
}
