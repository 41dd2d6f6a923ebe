import Foundation
import Glibc
import Synchronization

/// A web server on 127.0.0.1 for a test: one connection after another, one request each, answered as the test says.
final class LoopbackServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        let method: String
        let path: String
        /// By lower-case name.
        let headers: [String: String]
        let body: String
    }

    /// What an answer is made of; an empty status line closes the connection without one.
    struct Answer: Sendable {
        var status = "200 OK"
        var headers: [String] = []
        var bodyByteCount = 0

        static func status(_ line: String, headers: [String] = []) -> Answer {
            Answer(status: line, headers: headers)
        }
    }

    private let descriptor: Int32
    let port: Int
    private let received = Mutex<[Request]>([])
    private let respond: @Sendable (Request) -> Answer
    /// Signalled for each request, before it is answered.
    let arrived = DispatchSemaphore(value: 0)

    /// Starts to listen at a free port; `respond` may block.
    init(_ respond: @escaping @Sendable (Request) -> Answer = { _ in Answer() }) throws {
        self.respond = respond
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard bound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRINUSE) }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else {
                    // Closed here alone, so that no other socket gets the number while it is still in use.
                    close(descriptor)
                    return
                }
                self?.serve(connection)
                close(connection)
            }
        }
    }

    /// Stops listening; to be called once.
    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    var requests: [Request] { received.withLock { $0 } }

    func url(_ path: String = "") -> String { "http://127.0.0.1:\(port)\(path)" }

    private func serve(_ connection: Int32) {
        guard let request = Self.read(connection) else { return }
        received.withLock { $0.append(request) }
        arrived.signal()
        let answer = respond(request)
        guard !answer.status.isEmpty else { return }
        var text =
            "HTTP/1.1 \(answer.status)\r\nContent-Length: \(answer.bodyByteCount)\r\nConnection: close\r\n"
        for header in answer.headers { text += header + "\r\n" }
        let bytes = Array((text + "\r\n").utf8) + [UInt8](repeating: 0x78, count: answer.bodyByteCount)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { buffer in
                unsafe send(connection, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        func more() -> Bool {
            let count = unsafe recv(connection, &piece, piece.count, 0)
            if count > 0 { bytes += piece.prefix(count) }
            return count > 0
        }
        let end = Array("\r\n\r\n".utf8)
        while bytes.firstRange(of: end) == nil { guard more() else { return nil } }
        guard let head = bytes.firstRange(of: end) else { return nil }
        let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] =
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let count = headers["content-length"].flatMap { Int($0) } ?? 0
        while bytes.count < head.upperBound + count { guard more() else { return nil } }
        return Request(
            method: words[0], path: words.count > 1 ? words[1] : "", headers: headers,
            body: String(decoding: bytes[head.upperBound...].prefix(count), as: UTF8.self))
    }
}
