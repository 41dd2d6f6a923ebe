import ControlServer
import Foundation
import Glibc
import MeshTestSupport
import Testing

@Suite("Ctrl+C", .tags(.Size.medium))
struct InterruptTests {
    /// `meshctl` as it was built beside these tests.
    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("meshctl")

    @Test(
        "Ctrl+C ends the watching and says that the job goes on",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: program.path),
            "meshctl is not built beside these tests"))
    func interrupted() throws {
        let daemon = try ScriptedDaemon(["GET /v1/jobs/\(Sample.jobID)": [.json(Sample.job("Running"))]])
        defer { daemon.stop() }
        let process = Process()
        process.executableURL = Self.program
        process.arguments = [
            "job-status", Sample.jobID, "--watch", "--timeout", "60s", "--socket", daemon.socketPath,
        ]
        let messages = Pipe()
        process.standardError = messages
        process.standardOutput = Pipe()
        try process.run()
        // It asks for the second time only when it listens for the signal already.
        let deadline = Date(timeIntervalSinceNow: 30)
        while daemon.requests.count < 2, process.isRunning, Date.now < deadline { sched_yield() }
        try #require(daemon.requests.count >= 2)
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 130)
        #expect(
            text == "\nstopped watching; the job goes on: meshctl job-status --job-id \(Sample.jobID)\n")
        #expect(daemon.requests.allSatisfy { $0.method == "GET" })
    }
}
