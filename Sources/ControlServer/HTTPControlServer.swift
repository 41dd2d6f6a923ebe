public import MeshCore
internal import MeshAPI

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// The control API on a Unix socket: HTTP/1.1 by libmicrohttpd, a thread per connection.
///
/// A thread each because a handler may wait for a job to move: several hundred long-polling
/// clients cost several hundred sleeping threads and nothing else. Only the socket's owner can
/// connect (mode 0600), so there is no further authentication.
public final class HTTPControlServer: Sendable {
    /// Connections at once; more are refused by closing them.
    public static let connectionCountMax = 1024
    /// Seconds after which a silent connection is closed, and so the longest a handler may block.
    public static let idleSecondsMax = 600
    /// The stack of a connection's thread, in bytes: whoever reads and walks a program does so by recursion,
    /// and a program may nest deep.
    ///
    /// Only what is touched takes memory.
    static let stackByteCount = 8 << 20

    private let running: Mutex<RunningDaemon?>
    private let exchange: HTTPExchange
    private let socketPath: String

    /// Opens the socket and begins to answer.
    ///
    /// - Parameters:
    ///   - socketPath: At most 107 bytes. A socket file that nobody answers on is replaced.
    ///   - bodyByteCountMax: The largest body that the path takes; more is answered with 413.
    ///   - handler: Answers the requests.
    /// - Throws: ``ControlFailure/pathTooLong``, ``ControlFailure/inUse``,
    ///   ``ControlFailure/notASocket`` or ``ControlFailure/system``.
    public init(
        socketPath: String,
        bodyByteCountMax: @escaping @Sendable (_ path: String) -> Int = Routes.bodyByteCountMax(path:),
        handler: any ControlHandler
    ) throws(ControlError) {
        let descriptor = try UnixListener.open(socketPath)
        exchange = HTTPExchange(handler: handler, bodyByteCountMax: bodyByteCountMax)
        self.socketPath = socketPath
        guard let daemon = RunningDaemon(listeningOn: descriptor, exchange: exchange) else {
            close(descriptor)
            unsafe unlink(socketPath)
            throw ControlError(.system, "libmicrohttpd did not start on \(socketPath)")
        }
        running = Mutex(daemon)
    }

    /// Stops answering, removes the socket file and waits for the connections' threads to end.
    ///
    /// Running handlers are waited for, so whoever blocks in one must be woken first; streams end
    /// with the piece that they are producing. Calling it again does nothing.
    public func stop() {
        let daemon = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let daemon else { return }
        unsafe unlink(socketPath)
        exchange.isStopping.store(true, ordering: .releasing)
        daemon.stop()
    }

    deinit { stop() }
}

/// A started libmicrohttpd daemon.
///
/// It keeps its exchange alive until it is stopped.
@safe
private struct RunningDaemon: @unchecked Sendable {
    // Sendable because the pointer is used once, by whoever took the value out of the mutex.
    private let handle: OpaquePointer
    private let context: Unmanaged<HTTPExchange>

    init?(listeningOn descriptor: Int32, exchange: HTTPExchange) {
        let context = unsafe Unmanaged.passRetained(exchange)
        let handle = unsafe mesh_httpd_start(
            descriptor,
            { context, connection, url, method, _, upload, uploadCount, state in
                guard let context = unsafe context, let connection = unsafe connection,
                    let url = unsafe url, let method = unsafe method,
                    let uploadCount = unsafe uploadCount, let state = unsafe state
                else { return .NO }
                let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
                return unsafe exchange.receive(
                    connection, url: url, method: method,
                    upload: UnsafeRawBufferPointer(start: upload, count: uploadCount.pointee),
                    uploadCount: uploadCount, state: state)
            },
            context.toOpaque(),
            { _, _, state, _ in
                guard let state = unsafe state, let request = unsafe state.pointee else { return }
                unsafe Unmanaged<IncomingRequest>.fromOpaque(request).release()
                unsafe state.pointee = nil
            },
            { _, _, text in
                guard let text = unsafe text else { return 0 }
                return unsafe strlen(text)
            },
            UInt32(HTTPControlServer.connectionCountMax), UInt32(HTTPControlServer.idleSecondsMax),
            HTTPControlServer.stackByteCount)
        guard let handle = unsafe handle else {
            unsafe context.release()
            return nil
        }
        unsafe self.handle = handle
        unsafe self.context = context
    }

    func stop() {
        unsafe MHD_stop_daemon(handle)
        unsafe context.release()
    }
}
