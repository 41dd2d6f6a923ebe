public import MeshCore

internal import CCurl
internal import Synchronization

/// Calls webhooks: one request each, straight to its host.
///
/// HTTPS is verified against the system's certificates, redirects are not followed, proxies of the environment not
/// asked, and answers read up to ``answerByteCountMax`` bytes and dropped. Calls from several threads take turns.
public final class WebhookClient: Sendable {
    /// The most bytes of an answer that are read; the rest is left and changes nothing.
    public static let answerByteCountMax = 1 << 20
    /// How long a call may take in all.
    public static let standardTimeout = Duration.seconds(10)

    private let handle: Mutex<CurlHandle>

    /// Prepares a client; nothing is connected before the first call.
    ///
    /// - Throws: ``ControlClientFailure/transport`` if libcurl cannot be set up.
    public init() throws(ControlClientError) {
        guard let handle = CurlHandle() else {
            throw ControlClientError(.transport, "libcurl could not be set up")
        }
        self.handle = Mutex(handle)
    }

    /// Sends `body`, as JSON where it begins with `{` or `[` and else as plain text, and returns the answer's status.
    ///
    /// - Throws: ``ControlClientFailure/timedOut``; ``ControlClientFailure/notReachable`` where no connection came
    ///   about, by name, address or certificate; ``ControlClientFailure/transport`` where one broke.
    public func send(
        _ method: String, to url: WebhookURL, body: [UInt8], timeout: Duration = standardTimeout
    ) throws(ControlClientError) -> Int {
        let received = Received(droppingUpTo: Self.answerByteCountMax)
        let isJSON = body.first == UInt8(ascii: "{") || body.first == UInt8(ascii: "[")
        let milliseconds =
            timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000
        let outcome = handle.withLock { handle in
            handle.perform(
                method, url.description, over: .web, body: body,
                contentType: isJSON ? "application/json" : "text/plain",
                milliseconds: Int(clamping: milliseconds), received: received)
        }
        switch outcome {
        case .status(let status): return status
        case .failed(let code) where code == Int(CURLE_WRITE_ERROR.rawValue) && received.isStopped:
            return received.status
        case .failed(let code) where code == Int(CURLE_OPERATION_TIMEDOUT.rawValue):
            throw ControlClientError(.timedOut, "\(url) did not answer in time")
        case .failed(let code) where Self.unconnected.contains(code):
            throw ControlClientError(
                .notReachable, "no connection to \(url): \(CurlHandle.name(ofCode: code))")
        case .failed(let code):
            throw ControlClientError(
                .transport, "the connection to \(url) broke: \(CurlHandle.name(ofCode: code))")
        }
    }

    /// Failures before the request could have reached anybody.
    private static let unconnected = [
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
        CURLE_PEER_FAILED_VERIFICATION,
    ].map { Int($0.rawValue) }
}
