import ControlClient
import ControlServer
import Foundation
import Glibc
import MeshAPI
import MeshCore
import MeshTestSupport
import Synchronization
import Testing

/// A handler made of a closure.
struct ClosureHandler: ControlHandler {
    let body: @Sendable (ControlRequest) -> ControlResponse
    func respond(to request: ControlRequest) -> ControlResponse { body(request) }
}

/// Sends bytes to a Unix socket and returns everything that comes back before the other side closes.
func exchange(_ path: String, _ bytes: [UInt8], seconds: Int = 20) -> [UInt8]? {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let isConnected = unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
    }
    guard isConnected else { return nil }
    var offset = 0
    while offset < bytes.count {
        let count = unsafe bytes[offset...].withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count <= 0 { break }
        offset += count
    }
    shutdown(descriptor, Int32(SHUT_WR))
    var received: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = unsafe recv(descriptor, &piece, piece.count, 0)
        if count <= 0 { return received }
        received += piece.prefix(count)
    }
}

@Suite("HTTPControlServer", .tags(.Size.medium))
struct ControlServerTests {
    private let directory: TemporaryDirectory
    private var socketPath: String { directory.file("c.sock") }

    init() throws { directory = try TemporaryDirectory() }

    private func server(
        bodyByteCountMax: @escaping @Sendable (String) -> Int = { _ in 1 << 20 },
        _ body: @escaping @Sendable (ControlRequest) -> ControlResponse
    ) throws -> HTTPControlServer {
        try HTTPControlServer(
            socketPath: socketPath, bodyByteCountMax: bodyByteCountMax, handler: ClosureHandler(body: body))
    }

    private static func echo(_ request: ControlRequest) -> ControlResponse {
        let query = request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return .bytes(Array("\(request.method) \(request.path) \(query) ".utf8) + request.body)
    }

    @Test("a request arrives whole and its answer comes back, again and again over one connection")
    func roundTrip() throws {
        let server = try server(Self.echo)
        defer { server.stop() }
        let client = try HTTPControlClient(socketPath: socketPath)
        for number in 0..<20 {
            let body = [UInt8](repeating: UInt8(number), count: number * 10_007)
            let answer = try client.request(
                "POST", "/v1/x", query: ["a b": "1&2=%+ü", "n": String(number)], body: body)
            #expect(answer.status == 200)
            #expect(answer.body == Array("POST /v1/x [\"a b=1&2=%+ü\", \"n=\(number)\"] ".utf8) + body)
        }
        let get = try client.request("GET", "/v1/" + HTTPControlClient.pathSegment("a/b c"))
        #expect(String(decoding: get.body, as: UTF8.self) == "GET /v1/a%2Fb%20c [] ")
    }

    @Test("the socket belongs to its owner alone and goes away with the server")
    func mode() throws {
        let server = try server(Self.echo)
        let attributes = try FileManager.default.attributesOfItem(atPath: socketPath)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        server.stop()
        server.stop()
        #expect(!FileManager.default.fileExists(atPath: socketPath))
    }

    /// Lets nobody through before `count` threads have arrived.
    private final class Gate: Sendable {
        private let condition = NSCondition()
        private let arrived = Mutex(0)
        private let count: Int

        init(_ count: Int) { self.count = count }

        /// - Returns: Whether all arrived within a minute.
        func pass() -> Bool {
            condition.lock()
            defer { condition.unlock() }
            arrived.withLock { $0 += 1 }
            condition.broadcast()
            let deadline = Date(timeIntervalSinceNow: 60)
            while arrived.withLock({ $0 }) < count {
                if !condition.wait(until: deadline) { return false }
            }
            return true
        }
    }

    @Test("300 requests wait at the same time")
    func manyAtOnce() throws {
        let gate = Gate(300)
        let server = try server { _ in gate.pass() ? .bytes(Array("through".utf8)) : .bytes([]) }
        defer { server.stop() }
        let done = DispatchSemaphore(value: 0)
        let good = Atomic(0)
        let path = socketPath
        for _ in 0..<300 {
            let thread = Thread {
                defer { done.signal() }
                guard let client = try? HTTPControlClient(socketPath: path),
                    let answer = try? client.request("GET", "/v1/wait", timeout: .seconds(90))
                else { return }
                if answer.body == Array("through".utf8) { good.add(1, ordering: .relaxed) }
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
        for _ in 0..<300 { #expect(done.wait(timeout: .now() + 100) == .success) }
        #expect(good.load(ordering: .relaxed) == 300)
    }

    @Test("a body over the cap is refused while it arrives and never reaches the handler")
    func oversize() throws {
        let reached = Atomic(0)
        let server = try server(bodyByteCountMax: { $0 == "/v1/big" ? 2 << 20 : 1000 }) { request in
            reached.add(1, ordering: .relaxed)
            return .bytes(Array(String(request.body.count).utf8))
        }
        defer { server.stop() }
        let client = try HTTPControlClient(socketPath: socketPath)
        let refused = try client.request("POST", "/v1/small", body: [UInt8](repeating: 1, count: 1001))
        #expect(refused.status == 413)
        let error: APIError = try HTTPControlClient.decode(refused.body)
        #expect(error.error.code == "request.too-large")
        #expect(error.error.message == "/v1/small takes a body of at most 1000 bytes")
        #expect(reached.load(ordering: .relaxed) == 0)
        #expect(
            try client.request("POST", "/v1/small", body: [UInt8](repeating: 1, count: 1000)).status == 200)
        let huge = try client.request("POST", "/v1/small", body: [UInt8](repeating: 1, count: 8 << 20))
        #expect(huge.status == 413)
        let big = try client.request("POST", "/v1/big", body: [UInt8](repeating: 1, count: 2 << 20))
        #expect(big.body == Array("2097152".utf8))
    }

    @Test("a body that grows over the cap without having announced it is refused too")
    func chunkedOversize() throws {
        let reached = Atomic(0)
        let server = try server(bodyByteCountMax: { _ in 1000 }) { _ in
            reached.add(1, ordering: .relaxed)
            return .bytes([])
        }
        defer { server.stop() }
        let head = "POST /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunk = "400\r\n" + String(repeating: "x", count: 0x400) + "\r\n"
        let bytes = Array((head + String(repeating: chunk, count: 50) + "0\r\n\r\n").utf8)
        let answer = String(decoding: try #require(exchange(socketPath, bytes)), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(answer.contains("request.too-large"))
        #expect(reached.load(ordering: .relaxed) == 0)
    }

    struct Malformed: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
    }

    @Test(
        "what is not HTTP is turned away and the next client is served",
        arguments: [
            Malformed(testDescription: "a greeting", text: "hello\r\n\r\n"),
            Malformed(testDescription: "a method alone", text: "GET\r\n\r\n"),
            Malformed(testDescription: "control characters", text: "\u{0}\u{1}\u{2}\r\n\r\n"),
            Malformed(testDescription: "an unknown version", text: "GET /v1/x HTTP/9.9\r\n\r\n"),
            Malformed(
                testDescription: "a negative length",
                text: "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
            Malformed(
                testDescription: "a length in words",
                text: "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: nine\r\n\r\n"),
            Malformed(
                testDescription: "a chunk without a size",
                text: "POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            Malformed(
                testDescription: "a path of 100,000 characters",
                text: "GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\n\r\n"),
            Malformed(
                testDescription: "50,000 headers",
                text: "GET /v1/x HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 50_000) + "\r\n"),
            Malformed(
                testDescription: "a broken percent escape",
                text: "GET /v1/x?a=%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ])
    func malformed(_ request: Malformed) throws {
        let server = try server(Self.echo)
        defer { server.stop() }
        let answer = String(
            decoding: try #require(exchange(socketPath, Array(request.text.utf8))), as: UTF8.self)
        #expect(!answer.hasPrefix("HTTP/1.1 200"))
        let client = try HTTPControlClient(socketPath: socketPath)
        #expect(try client.request("GET", "/v1/x").status == 200)
    }

    @Test("a stream arrives line by line, while it is being made")
    func streaming() throws {
        let turn = DispatchSemaphore(value: 0)
        let server = try server { _ in
            let number = Mutex(0)
            return .events {
                let next = number.withLock { number in
                    defer { number += 1 }
                    return number
                }
                // The next event is made only when the last one has been read.
                if next > 0, turn.wait(timeout: .now() + 30) != .success { return nil }
                if next == 3 { return nil }
                return ControlResponse.keepAlive
                    + ControlResponse.event("tick", id: next, APIErrorDetail(code: "c\(next)", message: "m"))
            }
        }
        defer { server.stop() }
        let client = try HTTPControlClient(socketPath: socketPath)
        let seen = Mutex<[String]>([])
        try client.events("/v1/events") { name, data in
            let detail: APIErrorDetail? = try? HTTPControlClient.decode(data)
            seen.withLock { $0.append("\(name) \(detail?.code ?? "-")") }
            turn.signal()
            return true
        }
        #expect(seen.withLock { $0 } == ["tick c0", "tick c1", "tick c2"])
    }

    @Test("a client may stop a stream and go on using its connection's client")
    func stoppingAStream() throws {
        let server = try server { request in
            request.path == "/v1/events"
                ? .events { ControlResponse.event("tick", APIErrorDetail(code: "c", message: "m")) }
                : Self.echo(request)
        }
        defer { server.stop() }
        let client = try HTTPControlClient(socketPath: socketPath)
        let count = Atomic(0)
        try client.events("/v1/events") { _, _ in count.add(1, ordering: .relaxed).newValue < 5 }
        #expect(count.load(ordering: .relaxed) == 5)
        #expect(try client.request("GET", "/v1/x").status == 200)
    }

    @Test("a stale socket file is replaced, a live one and any other file are left alone")
    func staleSocket() throws {
        let first = try server(Self.echo)
        do {
            _ = try server(Self.echo)
            Issue.record("two servers on one socket")
        } catch let error as ControlError {
            #expect(error.code == .inUse)
        }
        first.stop()
        // A socket file whose owner died: bound, never listened on.
        let path = directory.file("stale.sock")
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(descriptor)
        #expect(FileManager.default.fileExists(atPath: path))
        let second = try HTTPControlServer(socketPath: path, handler: ClosureHandler(body: Self.echo))
        #expect(try HTTPControlClient(socketPath: path).request("GET", "/").status == 200)
        second.stop()
        let file = directory.file("notes.txt")
        #expect(FileManager.default.createFile(atPath: file, contents: Data("mine".utf8)))
        let error = #expect(throws: ControlError.self) {
            _ = try HTTPControlServer(socketPath: file, handler: ClosureHandler(body: Self.echo))
        }
        #expect(error?.code == .notASocket)
        #expect(FileManager.default.contents(atPath: file) == Data("mine".utf8))
    }

    @Test("a socket path over 107 bytes is refused")
    func longPath() {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        let error = #expect(throws: ControlError.self) {
            _ = try HTTPControlServer(socketPath: path, handler: ClosureHandler(body: Self.echo))
        }
        #expect(error?.code == .pathTooLong)
    }

    @Test("nobody on the socket is told apart from an answer that is late")
    func unreachable() throws {
        let client = try HTTPControlClient(socketPath: socketPath)
        let missing = #expect(throws: ControlClientError.self) { _ = try client.request("GET", "/v1/node") }
        #expect(missing?.code == .notReachable)
        #expect(missing?.message.contains("meshd --config") == true)
        let release = DispatchSemaphore(value: 0)
        let server = try server { _ in
            _ = release.wait(timeout: .now() + 30)
            return .bytes([])
        }
        let late = #expect(throws: ControlClientError.self) {
            _ = try client.request("GET", "/v1/node", timeout: .milliseconds(50))
        }
        #expect(late?.code == .timedOut)
        release.signal()
        server.stop()
    }
}
