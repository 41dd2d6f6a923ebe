import MeshCore
import MeshCrypto
import MeshIdentity
import MeshTestSupport
import Testing

/// One example of RFC 8032, section 7.1.
struct SignatureExample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let seed: String
    let publicKey: String
    let message: String
    let signature: String
}

private let examples = [
    SignatureExample(
        testDescription: "test 1, an empty message",
        seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
        signature:
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            + "d25bf5f0595bbe24655141438e7a100b"),
    SignatureExample(
        testDescription: "test 2, one byte",
        seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
        signature:
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            + "387b2eaeb4302aeeb00d291612bb0c00"),
    SignatureExample(
        testDescription: "test 3, two bytes",
        seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
        signature:
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            + "4a7c15e9716ed28dc027beceea1ec40a"),
]

/// What `openssl genpkey -algorithm ed25519` wrote, with what `openssl` says of it.
private let opensslKey = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEICIXIw7ZgIl69PxcGO82o6Dq1SHR820Bcam5b5JxUA7K
    -----END PRIVATE KEY-----

    """
private let opensslPublicKey = "3a006562446cc5195e6dc07aa5075c193505e03c18560850682a47665b51201e"
private let opensslSignatureOfHiMesh =
    "12b9f2aef50cf533d722ad945aa31b79b5880e3e829b4473af8f176823ada953f67040b41d79bd8e1a5bb86975c4c06902d09eae8100fc07"
    + "84ba4fe3819f1f05"

private func pem(_ label: String, _ lines: String...) -> String {
    "-----BEGIN \(label)-----\n" + lines.joined(separator: "\n") + "\n-----END \(label)-----\n"
}

private let rsa = pem(
    "PRIVATE KEY", "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAL0TVTaJ4sR6dzKm",
    "jzhzS2HJR7DhQqHAwvOYZASNJkvSXAMsfkip4gfz/aP+iyZ1nkd2XUINz8yU86Mr",
    "rdZIVUHefSJDrWraMgPFMZyCzCYrkrASi+24qDdhuTCCwqD6gCW36AH+tjDogBj3",
    "W62vGifdVEUsOLQNu8rwgzlZWhcZAgMBAAECgYA+UnsKCRUoMj3MAj6/GrHEP7ZT",
    "xUxTSNh5tsdxAJ2Y7HPL0ASoKucIPBJk1ehD+wz6/TbsKOVPx+Eu7ZzVPu5qwCWg",
    "NayMGAeHWubIxIaGAsfkBu/srBEIimN0ChQl6KB8uXCvd89dqdv55YKbXjqgYtFV",
    "Fsc5WrO/PAGEjKmzAQJBAPFFhyIGG5nq7NFeum0nClg7OALL1PwhTpqdXAhXFQjc",
    "T5B1l1TQtRxW+rp8ZBZMa/BbFMkEsDfzp7geNGnXdnECQQDInhxcQid/L5vXeaCO",
    "3OVL76WVEmqmIe8Eo02A75BwIVf957p19N9CGoVYblzzfFX35zNfYi8XWc7MZtBj",
    "H48pAkBZHfRXBeiGBrcocpPro2L3yg/bQIzQAEF3bK5Eyl2To0SkODsIcfqjmCEO",
    "ZsnVTq8D3bCku12XnSETKdz0R0iRAkEAmWimoToJP+3lCvG8AGMUiGvaP9NUcHP0",
    "daR2yMjot4YX5lYENN0quD7VhxjlxV9n0ekfVKoc/oszYwSgB5yDeQJAMULgtH11",
    "mAI+bJpUKgFaNTq8f3p3aGPhvikrgv665Ln2r9wfKK6mhz7Ly/XHC08ELADYXPk+", "ElYsDsYAJ2SsIg==")
private let p256 = pem(
    "PRIVATE KEY", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbVzd7D4wQKqiiDTG",
    "lMZEUC0yz9lNpylu+eQC1F+zOJahRANCAATWqN7ow7skIwcJdrli3rk4OMVW73wB",
    "ezCMcmHp3g7jZ9K5c6HCFAMMRT8pZG85B1BvODgM5lNasfY0rKa3HWll")
private let ed448 = pem(
    "PRIVATE KEY", "MEcCAQAwBQYDK2VxBDsEOUclbUpJfFMWTpZQNmtvKiPY2lfUcDEzoXugwwcbhzuf",
    "eRffx9aPRbDo7y2qC0we8Y6VxtYQbVFs0w==")
private let x25519 = pem("PRIVATE KEY", "MC4CAQAwBQYDK2VuBCIEIPgSVNJKEuXBEUrkr3VyIuv4t7t+PhP93gy2gSg/0GJ5")
private let publicOnly = pem("PUBLIC KEY", "MCowBQYDK2VwAyEAOgBlYkRsxRlebcB6pQdcGTUF4DwYVghQaCpHZltRIB4=")
private let encrypted = pem(
    "ENCRYPTED PRIVATE KEY", "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgiaaXfHhjjrQICCAAw",
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPmcOdVrrwAXYzebomzbz5UEQMfG",
    "26T6u0fjLaiNhjt/cXNfslG5MFNx0otR0TfEjkRxHhptooCiPP2z5KQv1kg/bRBH", "djND1wu8HRI7Qqb1u3Y=")
private let encryptedWithNothing = pem(
    "ENCRYPTED PRIVATE KEY", "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjBU7Aa97QlnwICCAAw",
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFHkvsvf6y/l+1QyFGv6bI4EQLmZ",
    "/2cBMzN3C/G8TkdE4f/LI3XYvpqQYs3qSb2kfiEDW/Djba9q32cnhkTRmkRsKyx6", "OBKJFhgZd6GwgUpo+Hs=")

@Suite("Keys, signatures and digests", .tags(.Size.small))
struct KeyTests {
    @Test("the examples of RFC 8032 hold", arguments: examples)
    func rfc8032(_ example: SignatureExample) throws {
        let seed = Bytes32(try #require(Hexadecimal.decode(example.seed)))
        let message = try #require(Hexadecimal.decode(example.message))
        let key = try Ed25519PrivateKey(seed: seed)
        #expect(Hexadecimal.encode(key.publicKey.bytes) == example.publicKey)
        let signature = key.sign(message)
        #expect(Hexadecimal.encode(signature) == example.signature)
        #expect(Ed25519.isValid(signature, of: message, in: 0..<message.count, by: key.publicKey))
    }

    @Test("only the signature of these bytes by this key is valid")
    func otherSignatures() throws {
        let key = try Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: 1, count: 32)))
        let other = try Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: 2, count: 32)))
        let message = Array("a message of ours".utf8)
        let signature = key.sign(message, in: 2..<9)
        #expect(signature == key.sign(Array(message[2..<9])))
        #expect(Ed25519.isValid(signature, of: message, in: 2..<9, by: key.publicKey))
        #expect(!Ed25519.isValid(signature, of: message, in: 2..<10, by: key.publicKey))
        #expect(!Ed25519.isValid(signature, of: message, in: 2..<9, by: other.publicKey))
        #expect(!Ed25519.isValid(Array(signature.dropLast()), of: message, in: 2..<9, by: key.publicKey))
        #expect(!Ed25519.isValid(signature + [0], of: message, in: 2..<9, by: key.publicKey))
        #expect(!Ed25519.isValid([], of: message, in: 2..<9, by: key.publicKey))
        #expect(!Ed25519.isValid(signature, of: message, in: 2..<99, by: key.publicKey))
        // Bytes that are not a point of the curve.
        #expect(
            !Ed25519.isValid(
                signature, of: message, in: 2..<9, by: Bytes32([2] + [UInt8](repeating: 0, count: 31))))
        #expect(
            !Ed25519.isValid(
                signature, of: message, in: 2..<9, by: Bytes32([UInt8](repeating: 0xff, count: 32))))
        for bit in 0..<512 {
            var wrong = signature
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.isValid(wrong, of: message, in: 2..<9, by: key.publicKey), "bit \(bit)")
        }
    }

    @Test("signing outside the message stops the program and reads no foreign memory")
    func rangeIsChecked() async {
        await #expect(processExitsWith: .failure) {
            let key = try Ed25519PrivateKey(seed: .zero)
            _ = key.sign([1, 2, 3], in: 0..<4)
        }
        await #expect(processExitsWith: .failure) { _ = SHA256.hash([1, 2, 3], in: 2..<4) }
    }

    @Test(
        "the digests of FIPS 180-4's examples hold",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func sha256(_ text: String, _ digest: String) {
        let bytes = Array(text.utf8)
        #expect(Hexadecimal.encode(SHA256.hash(bytes).bytes) == digest)
        #expect(Hexadecimal.encode(SHA256.hash([9] + bytes + [9], in: 1..<bytes.count + 1).bytes) == digest)
    }

    @Test("a key made by openssl is read and signs as openssl does")
    func opensslPEM() throws {
        let key = try Ed25519PrivateKey(pem: opensslKey)
        #expect(Hexadecimal.encode(key.publicKey.bytes) == opensslPublicKey)
        #expect(Hexadecimal.encode(key.sign(Array("hi mesh".utf8))) == opensslSignatureOfHiMesh)
        #expect(key.pem == opensslKey)
        #expect(try Identity(pem: "made for node 2\n" + opensslKey).did == DID(publicKey: key.publicKey))
    }

    @Test("keys come back from their PEM", arguments: Seed.sample(20))
    func pemRoundTrip(_ seed: Seed) throws {
        var generator = seed.generator
        let key = try Ed25519PrivateKey(
            seed: Bytes32((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }))
        #expect(try Ed25519PrivateKey(pem: key.pem).publicKey == key.publicKey)
    }

    @Test(
        "another kind of key is refused as such",
        arguments: [("RSA", rsa), ("P-256", p256), ("Ed448", ed448), ("X25519", x25519)])
    func otherKinds(_ kind: String, _ text: String) {
        let error = #expect(throws: CryptoError.self) { try Ed25519PrivateKey(pem: text) }
        #expect(error?.code == .notEd25519, "\(kind)")
    }

    @Test(
        "text that is no plain private key is refused and not repeated in the message",
        arguments: [
            ("nothing", ""), ("prose", "this is not a key"), ("a public key", publicOnly),
            ("an encrypted key", encrypted),
            ("a key encrypted with nothing", encryptedWithNothing),
            ("a key cut off", String(opensslKey.dropLast(40))),
            ("a key with a foreign character", opensslKey.replacing("MC4C", with: "M*4C")),
            ("an empty document", pem("PRIVATE KEY", "")),
            ("half a key", pem("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEICIX")),
            ("a zero byte", "\0" + opensslKey.dropFirst(11)),
        ])
    func garbage(_ what: String, _ text: String) {
        let error = #expect(throws: CryptoError.self) { try Ed25519PrivateKey(pem: text) }
        #expect(error?.code == .notPEM, "\(what)")
        #expect(error?.message.contains("MC4C") == false)
    }

    @Test("the did:key of the method's own example comes back")
    func did() throws {
        let text = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
        let did = try #require(DID(text))
        #expect(
            Hexadecimal.encode(did.bytes)
                == "ed012e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6")
        #expect(did.description == text)
        #expect(DID(bytes: did.bytes) == did)
    }

    @Test(
        "text and bytes that are no Ed25519 did:key are refused",
        arguments: [
            "", "did:key:", "did:key:z", "did:web:example.org",
            "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
            "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doKK",
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do",
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do0",
            "DID:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "did:key:z" + String(repeating: "1", count: 100_000),
        ])
    func otherDIDs(_ text: String) {
        #expect(DID(text) == nil)
        #expect(DID(bytes: Array(text.utf8)) == nil)
    }
}
