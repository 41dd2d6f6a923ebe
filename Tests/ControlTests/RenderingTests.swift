import Foundation
import IPLD
import MeshAPI
import MeshTestSupport
import Testing

@testable import MeshCommands

@Suite("Rendering", .tags(.Size.small))
struct RenderingTests {
    private let bid = BidView(
        jobID: "j", nodeID: "no", did: "did:key:z6Mk", bid: 5, estimatedSeconds: 1, reputation: 50,
        score: nil,
        validUntil: "2026-11-21T12:00:00.000Z", acceptable: false, reason: "says \"no\", twice\nand again")

    @Test("JSON keeps the documented order of keys and writes null for what is unknown")
    func json() {
        #expect(
            JSONTree(bid).json(indent: nil)
                == #"{"job_id":"j","node_id":"no","did":"did:key:z6Mk","bid":5,"estimated_seconds":1,"reputation":50,"location":null,"score":null,"valid_until":"2026-11-21T12:00:00.000Z","acceptable":false,"reason":"says \"no\", twice\nand again"}"#
        )
    }

    @Test("indented JSON is the same value")
    func prettyJSON() throws {
        let tree = JSONTree.object([
            .init(key: "bids", value: .array([JSONTree(bid), .array([]), .object([])])),
            .init(key: "n", value: .number(0.5)),
        ])
        let first = try JSONSerialization.jsonObject(with: Data(tree.json().utf8)) as? NSDictionary
        let second =
            try JSONSerialization.jsonObject(with: Data(tree.json(indent: nil).utf8)) as? NSDictionary
        #expect(first != nil)
        #expect(first == second)
        #expect(tree.json().hasPrefix("{\n  \"bids\": [\n    {\n      \"job_id\": \"j\",\n"))
    }

    @Test(
        "control characters are escaped",
        arguments: zip(
            ["\u{0}", "\u{1b}[1m", "\u{7f}", "é\t"], [#""\u0000""#, #""\u001b[1m""#, #""\u007f""#, #""é\t""#])
    )
    func escapes(_ text: String, _ json: String) {
        #expect(JSONTree.text(text).json() == json)
    }

    @Test("CSV quotes what needs it and leaves null empty")
    func csv() {
        let tree = JSONTree.array([
            .object([.init(key: "a", value: .null), .init(key: "b", value: .text("x,\"y\"\nz"))]),
            .object([
                .init(key: "a", value: .array([.integer(1), .text("q")])), .init(key: "b", value: .text("")),
            ]),
        ])
        #expect(tree.csv() == "a,b\r\n,\"x,\"\"y\"\"\nz\"\r\n\"[1,\"\"q\"\"]\",\r\n")
        #expect(JSONTree.array([]).csv().isEmpty)
    }

    @Test("YAML nests, and quotes what could be read as something else")
    func yaml() {
        let tree = JSONTree.object([
            .init(key: "name", value: .text("node-1")), .init(key: "version", value: .text("1.0")),
            .init(key: "no", value: .text("yes")), .init(key: "nothing", value: .null),
            .init(key: "empty", value: .array([])),
            .init(
                key: "list",
                value: .array([
                    .integer(1),
                    .object([.init(key: "a", value: .boolean(true)), .init(key: "b", value: .text(""))]),
                    .array([.integer(2)]),
                ])),
        ])
        #expect(
            tree.yaml() == """
                name: node-1
                version: "1.0"
                "no": "yes"
                nothing: null
                empty: []
                list:
                  - 1
                  - a: true
                    b: ""
                  - - 2

                """)
    }

    @Test("table columns are as wide as their widest cell, and the last is not padded")
    func table() {
        let table = Table(headings: ["Node ID", "Bid"], rows: [["a", "1"], ["a-long-name", "22"]])
        #expect(table.lines() == ["Node ID      Bid", "a            1", "a-long-name  22"])
        #expect(Table(headings: ["A", "B"], rows: []).lines() == ["A  B"])
    }

    @Test("integers of DAG-JSON keep their value, as text where JSON readers would round")
    func integers() {
        func json(_ negative: Bool, _ magnitude: UInt64) -> String {
            JSONTree(dagJSON: .integer(negative: negative, magnitude: magnitude)).json()
        }
        #expect(json(false, 7) == "7")
        #expect(json(true, 0) == "-1")
        #expect(json(true, UInt64(Int.max)) == "-9223372036854775808")
        #expect(json(false, UInt64(Int.max) + 1) == "\"9223372036854775808\"")
        #expect(json(true, UInt64(Int.max) + 1) == "\"-9223372036854775809\"")
        #expect(json(true, .max) == "\"-18446744073709551616\"")
    }

    @Test(
        "base64 of DAG-JSON has no padding",
        arguments: zip(
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"],
            ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"]))
    func base64(_ text: String, _ encoded: String) {
        #expect(JSONTree.base64(Array(text.utf8)) == encoded)
    }
}
