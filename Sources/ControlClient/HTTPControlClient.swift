public import MeshCore

internal import CCurl
internal import FoundationEssentials
internal import Synchronization

/// Why a request brought no answer.
public enum ControlClientFailure: String, Sendable, CaseIterable {
    /// Nobody listens on the socket.
    case notReachable = "control.not-reachable"
    /// The answer did not come in time.
    case timedOut = "control.timed-out"
    /// The connection broke, or what came was not HTTP.
    case transport = "control.transport"
    /// The answer is not the JSON that was expected.
    case malformed = "control.malformed-answer"
}

public typealias ControlClientError = CodedError<ControlClientFailure>

/// The control API of a daemon on this machine, over its Unix socket, by libcurl.
///
/// One connection is kept and used again; requests from several threads take turns, so whoever
/// wants to wait in two places needs two clients.
public final class HTTPControlClient: Sendable {
    /// The socket's path.
    public let socketPath: String
    private let handle: Mutex<CurlHandle>

    /// Prepares a client; nothing is connected before the first request.
    ///
    /// - Throws: ``ControlClientFailure/transport`` if libcurl cannot be set up.
    public init(socketPath: String) throws(ControlClientError) {
        guard let handle = CurlHandle() else {
            throw ControlClientError(.transport, "libcurl could not be set up")
        }
        self.socketPath = socketPath
        self.handle = Mutex(handle)
    }

    /// Sends one request and waits for the whole answer; every status is an answer, not an error.
    ///
    /// `path` is already percent-encoded (see ``pathSegment(_:)``), `query` is encoded here, and
    /// `timeout` is for the whole exchange. Fails with
    /// ``ControlClientFailure/notReachable``, ``ControlClientFailure/timedOut`` or
    ///   ``ControlClientFailure/transport``.
    public func request(
        _ method: String, _ path: String, query: [String: String] = [:], body: [UInt8]? = nil,
        contentType: String = "application/json", timeout: Duration = .seconds(60)
    ) throws(ControlClientError) -> (status: Int, body: [UInt8]) {
        let received = Received()
        let status = try perform(
            method, path, query: query, body: body, contentType: contentType, timeout: timeout,
            received: received)
        return (status, received.bytes)
    }

    /// Sends a request and hands over each line of the answer as it arrives, without its line end.
    ///
    /// A GET without a body, and else a POST of JSON.
    /// `line` returns false to stop; the connection is then closed. The answer has the status, and the
    /// whole body if the status is not a success.
    public func stream(
        _ path: String, query: [String: String] = [:], body: [UInt8]? = nil,
        timeout: Duration = .seconds(7 * 86_400), line: @escaping (String) -> Bool
    ) throws(ControlClientError) -> (status: Int, body: [UInt8]) {
        let received = Received(line: line)
        let status = try perform(
            body == nil ? "GET" : "POST", path, query: query, body: body,
            contentType: "application/json", timeout: timeout, received: received)
        return (status, received.bytes)
    }

    /// `text` as one segment of a path.
    public static func pathSegment(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var encoded = String.UnicodeScalarView()
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.append(Unicode.Scalar(byte))
            default:
                encoded.append("%")
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
        return String(encoded)
    }

    private func perform(
        _ method: String, _ path: String, query: [String: String], body: [UInt8]?, contentType: String,
        timeout: Duration, received: Received
    ) throws(ControlClientError) -> Int {
        let pairs = query.sorted { $0.key < $1.key }
            .map { Self.pathSegment($0.key) + "=" + Self.pathSegment($0.value) }
        let url = "http://meshd" + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
        let milliseconds =
            timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000
        let outcome = handle.withLock { handle in
            handle.perform(
                method, url, over: .socket(socketPath), body: body, contentType: contentType,
                milliseconds: Int(clamping: milliseconds), received: received)
        }
        switch outcome {
        case .status(let status): return status
        case .failed(let code) where code == Int(CURLE_WRITE_ERROR.rawValue) && received.isStopped:
            return received.status
        case .failed(let code) where code == Int(CURLE_COULDNT_CONNECT.rawValue):
            throw ControlClientError(
                .notReachable,
                "no daemon answers on \(socketPath); start one with `meshd --config ~/.mesh/meshd.json5`"
                    + " (`meshd init` writes that file) or name its socket with --socket")
        case .failed(let code) where code == Int(CURLE_OPERATION_TIMEDOUT.rawValue):
            throw ControlClientError(.timedOut, "the daemon did not answer in time")
        case .failed(let code):
            throw ControlClientError(
                .transport, "the connection to the daemon failed (\(CurlHandle.name(ofCode: code)))")
        }
    }
}

/// What has arrived of an answer.
final class Received {
    private(set) var bytes: [UInt8] = []
    /// Whether the line callback asked to stop.
    private(set) var isStopped = false
    /// The answer's status, from its first byte on.
    var status = 0
    private let line: ((String) -> Bool)?
    /// How many bytes are read and dropped before it is enough; nil keeps them all.
    private let droppedMax: Int?
    private var droppedCount = 0

    init(line: ((String) -> Bool)? = nil) {
        self.line = line
        droppedMax = nil
    }

    /// For an answer whose bytes nobody wants.
    init(droppingUpTo count: Int) {
        line = nil
        droppedMax = count
    }

    /// - Returns: Whether to go on.
    func append(_ piece: UnsafeRawBufferPointer) -> Bool {
        if let droppedMax {
            droppedCount += piece.count
            isStopped = droppedCount > droppedMax
            return !isStopped
        }
        unsafe bytes.append(contentsOf: piece)
        guard let line, (200..<300).contains(status) else { return true }
        var start = 0
        while let end = bytes[start...].firstIndex(of: 0x0a) {
            let text = String(decoding: bytes[start..<end], as: UTF8.self)
            start = end + 1
            if !line(text) {
                isStopped = true
                return false
            }
        }
        bytes.removeSubrange(..<start)
        return true
    }
}
