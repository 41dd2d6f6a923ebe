public import MeshCore
public import MeshCrypto
internal import MeshIdentity

internal import Glibc

/// Why a key file could not be used.
public enum IdentityFileFailure: String, Sendable, CaseIterable {
    case missing = "identity.missing"
    /// Others than its owner may read or write it.
    case looseMode = "identity.loose-mode"
    /// It is not an Ed25519 key in PKCS#8 PEM.
    case notAKey = "identity.not-a-key"
    /// It is there already, and keys are never overwritten.
    case exists = "identity.exists"
    /// The system refused.
    case system = "identity.system"
}

public typealias IdentityFileError = CodedError<IdentityFileFailure>

/// Ed25519 keys in PKCS#8 PEM files of mode 0600.
public enum IdentityFile {
    /// No PEM of one key comes near this.
    private static let byteCountMax = 16 << 10

    /// Reads the key in `path`.
    ///
    /// The mode is judged on the open file, so that it cannot change in between.
    /// - Throws: Every code but ``IdentityFileFailure/exists``.
    public static func load(_ path: String) throws(IdentityFileError) -> Ed25519PrivateKey {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT {
                throw IdentityFileError(
                    .missing, "there is no key file \(path)",
                    hint: "make one: meshctl identity create --out \(path)")
            }
            throw system("open", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw system("examine", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw IdentityFileError(.notAKey, "\(path) is not a file")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw IdentityFileError(
                .looseMode, "the key file \(path) has mode 0\(mode); others must not read it",
                hint: "chmod 600 \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: byteCountMax)
        let count = unsafe read(descriptor, &bytes, byteCountMax)
        guard count >= 0 else { throw system("read", path) }
        do {
            return try Ed25519PrivateKey(pem: String(decoding: bytes.prefix(count), as: UTF8.self))
        } catch {
            throw IdentityFileError(
                .notAKey, "\(path): \(error.message)",
                hint: "make one: meshctl identity create --out FILE.pem")
        }
    }

    /// Makes a key from the system's entropy and writes it to a new file of mode 0600.
    ///
    /// - Throws: ``IdentityFileFailure/exists`` if anything stands at `path`;
    ///   ``IdentityFileFailure/system``, and then no file is left behind.
    public static func create(_ path: String) throws(IdentityFileError) -> Ed25519PrivateKey {
        var generator = SystemRandomNumberGenerator()
        let key: Ed25519PrivateKey
        do {
            key = try Ed25519PrivateKey(
                seed: Bytes32((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }))
        } catch {
            throw IdentityFileError(.system, error.message)
        }
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw IdentityFileError(.exists, "\(path) is there already, and a key is never overwritten")
            }
            throw system("create", path)
        }
        defer { close(descriptor) }
        let bytes = Array(key.pem.utf8)
        guard fchmod(descriptor, 0o600) == 0, unsafe write(descriptor, bytes, bytes.count) == bytes.count,
            fsync(descriptor) == 0
        else {
            let error = system("write", path)
            unsafe unlink(path)
            throw error
        }
        return key
    }

    /// The `did:key:z6Mk…` of a key.
    public static func did(of key: Ed25519PrivateKey) -> String { DID(publicKey: key.publicKey).description }

    private static func system(_ action: String, _ path: String) -> IdentityFileError {
        IdentityFileError(.system, "cannot \(action) \(path): \(unsafe String(cString: strerror(errno)))")
    }
}
