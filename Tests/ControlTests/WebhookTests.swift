import ControlClient
import Foundation
import Glibc
import MeshCore
import MeshTestSupport
import Synchronization
import Testing

@Suite("Webhooks", .tags(.Size.medium))
struct WebhookTests {
    @Test(
        "a url that programs read differently is no url of a webhook",
        arguments: [
            "", "http", "http:/a", "http://", "ftp://a/b", "file:///etc/passwd", "HTTP://a", "https:///a",
            "http://user@host/", "http://user:word@host/", "http://host/a#b", "http://host#b", "http://Host/",
            "http://ho st/", "http://host:/", "http://host:0/", "http://host:080/", "http://host:65536/",
            "http://host:1:2/", "http://host:-1/", "http://host:a/", "http://h_st/", "http://höst/",
            "http://host/a/../b", "http://host/..", "http://host/./a", "http://host/a//b", "http://host//a",
            "http://host/%2e%2e/a", "http://host/a%2Fb", "http://host/a%5cb", "http://host/%",
            "http://host/%1",
            "http://host/%0d%0a", "http://host/a b", "http://host/a\nb", "http://host/a\\b",
            "http://host\\@a/",
            "http://host/\"", "http://host/{a}", "http://host/ä", "http://[::1/", "http://::1/", "http://[]/",
            "http://[::1]a/", "http://[g::1]/", "http://host%00/",
            "http://a/" + String(repeating: "x", count: 2048),
        ])
    func odd(text: String) { #expect(WebhookURL(text) == nil) }

    @Test(
        "plain urls are read as they stand",
        arguments: [
            "http://host", "https://a.example:8443/hooks/x-1_2~3", "http://127.0.0.1:80/",
            "http://[::1]:9/a/",
            "https://h/a;b=c,d/e:f@g!$&'()*+", "http://host/%C3%A4?q=1&r=/x?", "http://h?q", "http://h/...",
        ])
    func plain(text: String) { #expect(WebhookURL(text)?.description == text) }

    @Test("a url contains itself and what lies below it at a slash, at the same scheme, host and port")
    func containment() throws {
        func contains(_ outer: String, _ inner: String) throws -> Bool {
            try #require(WebhookURL(outer)).contains(try #require(WebhookURL(inner)))
        }
        for (outer, inner) in [
            ("http://h/a", "http://h/a"), ("http://h/a", "http://h/a/b"), ("http://h/a", "http://h/a?q=1"),
            ("http://h/a/", "http://h/a/b"), ("http://h", "http://h/x"), ("http://h", "http://h:80/x"),
            ("https://h:443/", "https://h/x"), ("http://h/a?q", "http://h/a?q"),
        ] { #expect(try contains(outer, inner), "\(outer) \(inner)") }
        for (outer, inner) in [
            ("http://h/a", "http://h/ab"), ("http://h/a", "http://h/"), ("http://h/a/", "http://h/a"),
            ("http://h/a", "https://h/a"), ("http://h/a", "http://h:81/a"), ("http://h/a", "http://i/a"),
            ("http://h", "http://h.example/"), ("http://h/a", "http://h/A"),
            ("http://h/a?q", "http://h/a/b?q"),
            ("http://h/%41", "http://h/A"),
        ] { #expect(try !contains(outer, inner), "\(outer) \(inner)") }
    }

    /// One call of a server that answers so.
    private func call(
        _ answer: LoopbackServer.Answer, body: String = "", method: String = "POST"
    ) throws -> (status: Int, requests: [LoopbackServer.Request]) {
        let server = try LoopbackServer { _ in answer }
        defer { server.stop() }
        let url = try #require(WebhookURL(server.url("/hooks?x=1")))
        return (try WebhookClient().send(method, to: url, body: Array(body.utf8)), server.requests)
    }

    @Test("the body comes as it was given, as JSON where it looks like JSON")
    func bodies() throws {
        for (body, type) in [
            ("{\"a\":1}", "application/json"), ("[1]", "application/json"), ("a line", "text/plain"),
            ("", "text/plain"), (" {}", "text/plain"),
        ] {
            let request = try #require(try call(.init(), body: body).requests.first)
            #expect(request.body == body && request.headers["content-type"] == type)
            #expect(request.method == "POST" && request.path == "/hooks?x=1")
        }
        #expect(try call(.init(), body: "x", method: "PUT").requests.first?.method == "PUT")
    }

    @Test("every status is an answer, and a redirect is not followed")
    func statuses() throws {
        for status in [200, 204, 404, 500] {
            #expect(try call(.status("\(status) Whatever")).status == status)
        }
        let other = try LoopbackServer()
        defer { other.stop() }
        let redirect = try call(.status("302 Found", headers: ["Location: \(other.url("/"))"]))
        #expect(redirect.status == 302 && redirect.requests.count == 1 && other.requests.isEmpty)
    }

    @Test("a long answer is left unread and changes nothing")
    func longAnswer() throws {
        var answer = LoopbackServer.Answer()
        answer.bodyByteCount = 2 * WebhookClient.answerByteCountMax
        #expect(try call(answer).status == 200)
    }

    @Test("no connection, a broken one and no answer are told apart")
    func failures() throws {
        func code(_ body: () throws -> Void) -> ControlClientFailure? {
            do { try body() } catch let error as ControlClientError { return error.code } catch {}
            return nil
        }
        #expect(code { _ = try call(.status("")) } == .transport)
        let released = DispatchSemaphore(value: 0)
        let silent = try LoopbackServer { _ in
            released.wait()
            return .status("")
        }
        let url = try #require(WebhookURL(silent.url("/")))
        let late = code {
            _ = try WebhookClient().send("POST", to: url, body: [], timeout: .milliseconds(50))
        }
        #expect(late == .timedOut)
        released.signal()
        silent.stop()
        let gone = code { _ = try WebhookClient().send("POST", to: url, body: []) }
        #expect(gone == .notReachable)
        // What does not speak TLS is not spoken to without it.
        let plain = try LoopbackServer()
        let secure = try #require(
            WebhookURL(plain.url("/").replacingOccurrences(of: "http:", with: "https:")))
        plain.stop()
        #expect(code { _ = try WebhookClient().send("POST", to: secure, body: []) } == .notReachable)
    }

    private static let openssl = "/usr/bin/openssl"

    @Test(
        "a server whose certificate nobody vouches for is told nothing",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: openssl), "there is no openssl to be the server")
    )
    func unverified() throws {
        let directory = try TemporaryDirectory()
        let (key, certificate) = (directory.file("key.pem"), directory.file("certificate.pem"))
        let making = Process()
        making.executableURL = URL(fileURLWithPath: Self.openssl)
        making.arguments = [
            "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
        ]
        making.standardError = FileHandle.nullDevice
        try making.run()
        making.waitUntilExit()
        try #require(making.terminationStatus == 0)
        let server = Process()
        server.executableURL = URL(fileURLWithPath: Self.openssl)
        server.arguments = ["s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate, "-www"]
        let output = Pipe()
        server.standardOutput = output
        server.standardError = FileHandle.nullDevice
        try server.run()
        defer {
            // The runner of the tests blocks milder signals for its children too.
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }
        // It says where it listens.
        var text = ""
        while !text.contains("ACCEPT 127.0.0.1:") || !text.hasSuffix("\n") {
            let piece = output.fileHandleForReading.availableData
            try #require(!piece.isEmpty)
            text += String(decoding: piece, as: UTF8.self)
        }
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") })
        let port = try #require(line.split(separator: ":").last)
        let url = try #require(WebhookURL("https://127.0.0.1:\(port)/"))
        let error = #expect(throws: ControlClientError.self) {
            _ = try WebhookClient().send("POST", to: url, body: Array("secret".utf8))
        }
        #expect(
            error?.code == .notReachable && error?.message.contains("certificate") == true, "\(error as Any)")
    }
}
