internal import CCurl
internal import Glibc

/// One libcurl easy handle with its kept connection.
@safe
struct CurlHandle: ~Copyable, @unchecked Sendable {
    // Sendable because libcurl lets a handle move between threads as long as one uses it at a time,
    // which the mutex around it sees to.
    private let handle: UnsafeMutableRawPointer

    enum Outcome: Sendable {
        case status(Int)
        /// A `CURLcode`.
        case failed(Int)
    }

    init?() {
        guard Self.isLibraryReady, let handle = unsafe curl_easy_init() else { return nil }
        unsafe self.handle = handle
    }

    deinit { unsafe curl_easy_cleanup(handle) }

    /// Runs `curl_global_init` once, thread-safely.
    private static let isLibraryReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    static func name(ofCode code: Int) -> String {
        unsafe String(cString: curl_easy_strerror(CURLcode(UInt32(code))))
    }

    /// What the write callback needs: where to put the bytes and whose status to ask for.
    @safe
    private final class Writing {
        let received: Received
        let handle: UnsafeMutableRawPointer

        @unsafe
        init(received: Received, handle: UnsafeMutableRawPointer) {
            self.received = received
            unsafe self.handle = handle
        }
    }

    /// Where a request goes.
    enum Way {
        /// Over a Unix socket; the url's host means nothing.
        case socket(String)
        /// To the url's own host, over HTTP or verified HTTPS, straight and without redirects.
        case web
    }

    func perform(
        _ method: String, _ url: String, over way: Way, body: [UInt8]?, contentType: String,
        milliseconds: Int, received: Received
    ) -> Outcome {
        // Resetting keeps the connection and forgets the last request's options.
        unsafe curl_easy_reset(handle)
        let writing = unsafe Writing(received: received, handle: handle)
        switch way {
        case .socket(let path): unsafe mesh_curl_set_string(handle, CURLOPT_UNIX_SOCKET_PATH, path)
        case .web:
            unsafe mesh_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
            unsafe mesh_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
            unsafe mesh_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 1)
            unsafe mesh_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 2)
            // The path that was allowed is the path that is asked for.
            unsafe mesh_curl_set_long(handle, CURLOPT_PATH_AS_IS, 1)
        }
        unsafe mesh_curl_set_string(handle, CURLOPT_URL, url)
        unsafe mesh_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, method)
        // Proxies from the environment must not see the request.
        unsafe mesh_curl_set_string(handle, CURLOPT_PROXY, "")
        unsafe mesh_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        unsafe mesh_curl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, milliseconds))
        unsafe mesh_curl_set_write(
            handle,
            { bytes, size, count, context in
                guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
                let writing = unsafe Unmanaged<Writing>.fromOpaque(context).takeUnretainedValue()
                if writing.received.status == 0 {
                    unsafe writing.received.status = CurlHandle.status(of: writing.handle)
                }
                let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe writing.received.append(piece) ? size * count : 0
            }, Unmanaged.passUnretained(writing).toOpaque())
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { unsafe curl_slist_free_all(headers) }
        if body != nil { unsafe headers = curl_slist_append(nil, "Content-Type: \(contentType)") }
        unsafe mesh_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers)
        // libcurl reads the body where it is, so it is lent for as long as the exchange takes.
        let code = unsafe (body ?? []).withUnsafeBytes { bytes in
            if body != nil {
                unsafe mesh_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count))
                unsafe mesh_curl_set_pointer(
                    handle, CURLOPT_POSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(handle))
            }
            return unsafe curl_easy_perform(handle)
        }
        withExtendedLifetime(writing) {}
        guard code == CURLE_OK else { return .failed(Int(code.rawValue)) }
        return .status(unsafe Self.status(of: handle))
    }

    @unsafe
    private static func status(of handle: UnsafeMutableRawPointer) -> Int {
        var status = 0
        unsafe mesh_curl_get_status(handle, &status)
        return status
    }
}
