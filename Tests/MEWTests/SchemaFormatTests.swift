import MEW
import MeshTestSupport
import Testing

private struct Samples: Sendable, CustomTestStringConvertible {
    let format: ValueFormat
    let yes: [String]
    let no: [String]
    var testDescription: String { format.rawValue }

    init(_ format: ValueFormat, _ yes: [String], _ no: [String]) {
        self.format = format
        self.yes = yes
        self.no = no
    }
}

@Suite("Formats tell what looks right from what does not", .tags(.Size.small))
struct SchemaFormatTests {
    @Test(
        "a format describes these texts and not those",
        arguments: [
            Samples(
                .email, ["a@b.org", "first.last+tag@sub.example.com", "o'neill@x-y.io", "a@1.2a"],
                [
                    "", "a", "a@b", "@b.org", "a@", "a@@b.org", "a b@c.org", ".a@b.org", "a.@b.org",
                    "a..b@c.org",
                    "a@-b.org", "a@b-.org", "a@b..org", "a@b.123", "ä@b.org",
                    String(repeating: "a", count: 65) + "@b.org",
                ]),
            Samples(
                .url,
                [
                    "https://example.org", "http://localhost:8080/a?b=c#d", "ftp://user:pw@host/x",
                    "https://[::1]:443/",
                    "https://10.0.0.1", "mailto:a@b.org", "urn:isbn:1", "did:key:z6Mk", "git+ssh://host/x",
                ],
                [
                    "", "example.org", "http://", "http:///x", "://x", "1http://x", "http://a b",
                    "http://-a.org",
                    "http://x:99999", "http://x:", "http://[::1", "http://[zz]/", "mailto:", "foo:bar",
                    "http://é.org",
                ]),
            Samples(
                .uuid, ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-00000000000F"],
                [
                    "", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g",
                    "123e4567-e89b-12d3-a456-4266141740000",
                ]),
            Samples(.slug, ["a", "a-b", "my-post-2"], ["", "-a", "a-", "a--b", "A", "a_b", "a b"]),
            Samples(
                .phone, ["+49 30 1234567", "(030) 123-4567", "030.123.4567", "+15551234567", "1234567"],
                [
                    "", "123456", "1234567890123456", "+", "12a4567", "1+234567", "(123 4567", "123) 4567",
                    "12  34567", "1234567-", "()1234567",
                ]),
            Samples(
                .isoDate, ["2026-11-21", "2024-02-29", "0000-01-01", "2000-02-29"],
                [
                    "", "2026-11-31", "2023-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-1-1",
                    "2026-11-21T", "2026/11/21",
                ]),
            Samples(
                .isoDatetime,
                [
                    "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.123456789+01:00", "2026-11-21T23:59Z",
                    "2026-11-21T00:00:00-11:30",
                ],
                [
                    "", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21T24:00:00Z", "2026-11-21T12:60:00Z",
                    "2026-11-21T12:00:60Z", "2026-11-21T12:00:00.Z", "2026-02-30T12:00:00Z",
                    "2026-11-21 12:00:00Z",
                    "2026-11-21T12:00:00+1:00", "2026-11-21T12:00:00Zx", "2026-11-21T12:00:0Z",
                ]),
            Samples(
                .ipv4, ["0.0.0.0", "127.0.0.1", "255.255.255.255"],
                ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.", "1.2.3.a", "-1.2.3.4"]),
            Samples(
                .ipv6,
                [
                    "::", "::1", "1::", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4",
                    "fe80::ABCD",
                ],
                [
                    "", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::",
                    "1:2:3:4:5:6:7:8::",
                    "::1.2.3", "1.2.3.4::", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:1.2.3.4",
                ]),
        ])
    private func formats(_ samples: Samples) {
        for text in samples.yes { #expect(samples.format.describes(text), "\(text)") }
        for text in samples.no { #expect(!samples.format.describes(text), "\(text)") }
    }

    @Test("every format has a name of its own that a declaration can use")
    func names() throws {
        for format in ValueFormat.allCases {
            let schema = try schema("node A { x: String? [format: \(format.rawValue)] }")
            #expect(schema.nodes["A"]?.attribute("x")?.checks == [.format(format.rawValue)])
        }
    }
}
