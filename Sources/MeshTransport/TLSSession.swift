internal import COpenSSL
internal import Glibc

/// One TLS connection over a non-blocking socket.
///
/// Only the transport's thread touches it.
@safe
struct TLSSession: ~Copyable {
    /// How an operation ended.
    enum Progress: Equatable {
        /// So many bytes moved; 0 for a completed handshake.
        case done(Int)
        case wantsRead
        case wantsWrite
        /// The peer said that it is finished.
        case closed
        /// The connection or the protocol broke; the session is good for nothing but being freed.
        case failed(String)
    }

    private let handle: OpaquePointer

    /// Takes ownership of `handle`, an `SSL *`.
    init(adopting handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe SSL_free(handle) }

    /// Takes the handshake as far as it goes without waiting.
    func handshake() -> Progress {
        ERR_clear_error()
        let status = unsafe SSL_do_handshake(handle)
        return status == 1 ? .done(0) : problem(status)
    }

    /// Whether a server has read a client's whole first message and answered it.
    var hasAnswered: Bool {
        let state = unsafe SSL_get_state(handle)
        return state != TLS_ST_BEFORE && state != TLS_ST_SR_CLNT_HELLO
    }

    /// Whether both sides agreed on our application protocol.
    var hasApplicationProtocol: Bool {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(handle, &start, &count)
        guard let start = unsafe start else { return false }
        return unsafe UnsafeBufferPointer(start: start, count: Int(count))
            .elementsEqual(TLSContext.applicationProtocol)
    }

    /// Reads at most one record into the start of `buffer`.
    func read(into buffer: inout [UInt8]) -> Progress {
        ERR_clear_error()
        let count = unsafe SSL_read(handle, &buffer, Int32(clamping: buffer.count))
        return count > 0 ? .done(Int(count)) : problem(count)
    }

    /// Writes `bytes`, at most one record, whole or not at all; what was not written must be offered again.
    func write(_ bytes: [UInt8]) -> Progress {
        ERR_clear_error()
        let count = unsafe SSL_write(handle, bytes, Int32(clamping: bytes.count))
        return count > 0 ? .done(Int(count)) : problem(count)
    }

    /// Tells the peer that nothing more comes, without waiting for its answer.
    func sendCloseNotify() {
        ERR_clear_error()
        unsafe SSL_shutdown(handle)
        ERR_clear_error()
    }

    private func problem(_ status: Int32) -> Progress {
        let systemError = errno
        switch unsafe SSL_get_error(handle, status) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .closed
        case SSL_ERROR_SYSCALL:
            return .failed(systemError == 0 ? "the connection ended" : systemMessage(systemError))
        default:
            let code = ERR_peek_error()
            ERR_clear_error()
            guard let reason = unsafe ERR_reason_error_string(code) else { return .failed("TLS failed") }
            return .failed(unsafe String(cString: reason))
        }
    }
}

/// What the system calls an `errno`.
func systemMessage(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
