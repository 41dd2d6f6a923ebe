internal import MeshAPI

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// A request while its body is being received.
final class IncomingRequest {
    let method: String
    let path: String
    let byteCountMax: Int
    var body: [UInt8] = []
    var discardedByteCount = 0

    init(method: String, path: String, byteCountMax: Int) {
        self.method = method
        self.path = path
        self.byteCountMax = byteCountMax
    }
}

/// Turns libmicrohttpd's callbacks into calls of a ``ControlHandler``.
final class HTTPExchange: Sendable {
    /// What is read and thrown away of an oversize body before the connection is cut, so that an
    /// honest client still sees the answer.
    private static let discardedByteCountMax = 16 << 20

    let isStopping = Atomic(false)
    private let handler: any ControlHandler
    private let bodyByteCountMax: @Sendable (String) -> Int

    init(handler: any ControlHandler, bodyByteCountMax: @escaping @Sendable (String) -> Int) {
        self.handler = handler
        self.bodyByteCountMax = bodyByteCountMax
    }

    /// libmicrohttpd calls this once when the head is there, once for each piece of the body, and
    /// once at the end.
    @unsafe
    func receive(
        _ connection: OpaquePointer, url: UnsafePointer<CChar>, method: UnsafePointer<CChar>,
        upload: UnsafeRawBufferPointer, uploadCount: UnsafeMutablePointer<Int>,
        state: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) -> MHD_Result {
        guard let held = unsafe state.pointee else {
            let path = unsafe String(cString: url)
            let request = unsafe IncomingRequest(
                method: String(cString: method), path: path, byteCountMax: bodyByteCountMax(path))
            unsafe state.pointee = Unmanaged.passRetained(request).toOpaque()
            if let announced = unsafe Self.header("Content-Length", of: connection).flatMap({ Int($0) }),
                announced > request.byteCountMax
            {
                return unsafe Self.send(Self.tooLarge(request), on: connection, isStopping: { true })
            }
            return .YES
        }
        let request = unsafe Unmanaged<IncomingRequest>.fromOpaque(held).takeUnretainedValue()
        if unsafe !upload.isEmpty {
            if request.discardedByteCount == 0
                && upload.count <= request.byteCountMax - request.body.count
            {
                unsafe request.body.append(contentsOf: upload)
            } else {
                request.body = []
                request.discardedByteCount += upload.count
                if request.discardedByteCount > Self.discardedByteCountMax { return .NO }
            }
            unsafe uploadCount.pointee = 0
            return .YES
        }
        let response =
            unsafe request.discardedByteCount > 0
            ? Self.tooLarge(request) : respond(to: request, on: connection)
        return unsafe Self.send(
            response, on: connection, isStopping: { self.isStopping.load(ordering: .acquiring) })
    }

    @unsafe
    private func respond(to request: IncomingRequest, on connection: OpaquePointer) -> ControlResponse {
        guard let query = unsafe Self.query(of: connection) else {
            return .error(
                400, APIError(code: "request.malformed", message: "the query has a broken percent escape"))
        }
        let body = request.body
        request.body = []
        return handler.respond(
            to: ControlRequest(method: request.method, path: request.path, query: query, body: body))
    }

    private static func tooLarge(_ request: IncomingRequest) -> ControlResponse {
        .error(
            413,
            APIError(
                code: "request.too-large",
                message: "\(request.path) takes a body of at most \(request.byteCountMax) bytes"))
    }

    @unsafe
    private static func header(_ name: String, of connection: OpaquePointer) -> String? {
        let value = unsafe MHD_lookup_connection_value(connection, .HEADER_KIND, name)
        return unsafe value.map { unsafe String(cString: $0) }
    }

    private final class Query {
        var values: [String: String] = [:]
        var isBroken = false
    }

    @unsafe
    private static func query(of connection: OpaquePointer) -> [String: String]? {
        let query = Query()
        unsafe MHD_get_connection_values(
            connection, .GET_ARGUMENT_KIND,
            { context, _, key, value in
                guard let context = unsafe context, let key = unsafe key else { return .YES }
                let query = unsafe Unmanaged<Query>.fromOpaque(context).takeUnretainedValue()
                let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
                if let name = unsafe PercentEncoding.decode(String(cString: key)),
                    let decoded = PercentEncoding.decode(text)
                {
                    query.values[name] = decoded
                } else {
                    query.isBroken = true
                }
                return .YES
            }, Unmanaged.passUnretained(query).toOpaque())
        return query.isBroken ? nil : query.values
    }

    /// Queues the response; its bytes are copied, its stream is kept until the end.
    @unsafe
    private static func send(
        _ response: ControlResponse, on connection: OpaquePointer,
        isStopping: @escaping @Sendable () -> Bool
    ) -> MHD_Result {
        let made: OpaquePointer?
        if let stream = response.stream {
            let pieces = OutgoingStream(first: response.body, next: { isStopping() ? nil : stream() })
            unsafe made = MHD_create_response_from_callback(
                UInt64.max, 32 << 10,
                { context, _, buffer, room in
                    guard let context = unsafe context, let buffer = unsafe buffer else { return -1 }
                    let pieces = unsafe Unmanaged<OutgoingStream>.fromOpaque(context).takeUnretainedValue()
                    return unsafe pieces.fill(UnsafeMutableRawBufferPointer(start: buffer, count: room))
                }, Unmanaged.passRetained(pieces).toOpaque(),
                { context in
                    if let context = unsafe context {
                        unsafe Unmanaged<OutgoingStream>.fromOpaque(context).release()
                    }
                })
        } else {
            unsafe made = response.body.withUnsafeBytes { bytes in
                unsafe MHD_create_response_from_buffer(
                    bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
            }
        }
        guard let made = unsafe made else { return .NO }
        defer { unsafe MHD_destroy_response(made) }
        unsafe MHD_add_response_header(made, "Content-Type", response.contentType)
        return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), made)
    }
}

/// The rest of a streamed response.
///
/// Used by one connection's thread only.
private final class OutgoingStream {
    private var pending: [UInt8]
    private var offset = 0
    private let next: () -> [UInt8]?

    init(first: [UInt8], next: @escaping () -> [UInt8]?) {
        pending = first
        self.next = next
    }

    /// Writes what there is; waits while there is nothing.
    /// - Returns: The bytes written, or -1 at the end of the stream.
    @unsafe
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while offset == pending.count {
            guard let piece = next() else { return -1 }
            pending = piece
            offset = 0
        }
        let count = min(buffer.count, pending.count - offset)
        unsafe buffer.copyBytes(from: pending[offset..<offset + count])
        offset += count
        return count
    }
}
