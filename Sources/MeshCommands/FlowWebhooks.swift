internal import ControlClient
internal import Dataflow
internal import MeshCore
internal import Synchronization

/// The webhooks that a run may call, and the calling.
final class FlowWebhooks: Sendable {
    private let allowed: [WebhookURL]
    private let client = Mutex<WebhookClient?>(nil)

    init(_ allowed: [WebhookURL]) { self.allowed = allowed }

    /// Does an action `webhook`: filled where the other side took it, rejected where it would not.
    ///
    /// - Throws: Where it may not be called, or did not come to such an answer.
    func call(_ command: AdapterRequest) throws(PrimitiveFailure) -> FlowEvent {
        let text = command.text("url") ?? ""
        guard let url = WebhookURL(text) else {
            throw PrimitiveFailure(
                .validationFailed,
                "“\(text.prefix(200))” is no url that a webhook may have; --allow-webhook says which may")
        }
        guard allowed.contains(where: { $0.contains(url) }) else {
            throw PrimitiveFailure(
                .validationFailed, "\(url) is below no url of --allow-webhook, so it was not called")
        }
        let status: Int
        do throws(ControlClientError) {
            status = try made().send(
                command.text("method") ?? "POST", to: url, body: Array((command.text("body") ?? "").utf8))
        } catch {
            throw PrimitiveFailure(Self.errorClass(error.code), error.message)
        }
        switch status {
        case 200..<300: return .filled
        case 400..<500: return .rejected
        case 300..<400:
            throw PrimitiveFailure(
                .validationFailed, "\(url) answered with \(status), and redirects are not followed")
        default: throw PrimitiveFailure(.runtimeError, "\(url) answered with \(status)")
        }
    }

    private func made() throws(ControlClientError) -> WebhookClient {
        if let client = client.withLock({ $0 }) { return client }
        let fresh = try WebhookClient()
        client.withLock { $0 = fresh }
        return fresh
    }

    private static func errorClass(_ code: ControlClientFailure) -> ErrorClass {
        switch code {
        case .timedOut: .networkTimeout
        case .notReachable: .adapterUnavailable
        case .transport, .malformed: .runtimeError
        }
    }
}
