import ControlClient
import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("The control API of a running daemon", .tags(.Size.large))
    struct Contract {
        @Test("the OpenAPI document that is served is the one made from the routes, path by path")
        func document() throws {
            try withCluster(.init(count: 1)) { cluster in
                let served = try cluster[1].client().bytes("/v1/openapi.json")
                // Compared apart from the expectation, which would print both documents byte by byte.
                let isTheSame = served == OpenAPI.document
                #expect(isTheSame)
                let tree = try JSONSerialization.jsonObject(with: Data(served)) as? [String: Any]
                let paths = try #require(tree?["paths"] as? [String: [String: Any]])
                var described: Set<String> = []
                for (path, methods) in paths {
                    for method in methods.keys { described.insert("\(method.uppercased()) \(path)") }
                }
                #expect(described == Set(Routes.all.map { "\($0.method) \($0.pattern)" }))
            }
        }

        @Test("every GET route answers on a node that has run a job, and says so where there is nothing")
        func reading() throws {
            try withCluster { cluster in
                let node = cluster[1]
                let code = try node.upload(Modules.example("wordcount"))
                let input = try node.upload(Story.text)
                var request = SubmitRequest(wasm: code)
                request.inputs = [InputReference(name: "stdin", cid: input, size: Story.text.count)]
                request.auto = true
                request.bidWindowMs = 0
                let id = try node.submit(request)
                let job = try node.job(id) { $0.verification.final }
                #expect(job.status == "Completed")
                let receipt = try #require(job.receiptCID)
                // The dump of an empty graph is empty.
                try node.mew("ontology one { node One { n: Int } } SPAWN #one: One { n = 1 }")
                let client = try node.client()
                var asked = 0
                for route in Routes.all where route.method == "GET" {
                    let known =
                        route.name == .receipt || route.name == .receiptCAR
                        ? receipt
                        : route.name == .block ? job.manifestCID : code
                    let path = route.pattern.replacing("{id}", with: id).replacing("{cid}", with: known)
                        .replacing("{name}", with: "stdout").replacing("{uid}", with: "\(id).0")
                        .replacing("{label}", with: "end")
                    let answer = try client.request("GET", path)
                    #expect(
                        answer.status == 200,
                        "\(path): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
                    #expect(!answer.body.isEmpty, "\(path)")
                    asked += 1
                    guard route.pattern.contains("{") else { continue }
                    let unknown = route.pattern.replacing(
                        "{id}", with: "00000000-0000-8000-8000-000000000000"
                    )
                    .replacing(
                        "{cid}", with: "bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
                    )
                    .replacing("{name}", with: "stdout").replacing("{uid}", with: "nobody.0")
                    .replacing("{label}", with: "end")
                    let refused = try client.request("GET", unknown)
                    #expect(refused.status == 404, "\(unknown): \(refused.status)")
                    let error = try JSONDecoder().decode(APIError.self, from: Data(refused.body))
                    #expect(!error.error.message.isEmpty && error.error.code.contains("."))
                    let malformed = try client.request(
                        "GET",
                        route.pattern.replacing("{id}", with: "%00!").replacing("{cid}", with: "%00!")
                            .replacing("{name}", with: "%00").replacing("{uid}", with: "%00!")
                            .replacing("{label}", with: "%00"))
                    #expect((400..<500).contains(malformed.status), "\(route.pattern): \(malformed.status)")
                }
                #expect(asked == Routes.all.count { $0.method == "GET" })
                #expect(try client.bytes("/v1/jobs/\(id)/outputs/stdout") == Array("3 9 44\n".utf8))
                #expect(try client.bytes("/v1/blobs/\(input)") == Story.text)
                let events = String(decoding: try client.bytes("/v1/events"), as: UTF8.self)
                #expect(events.contains("event: ") && events.contains(id))
                #expect(try client.request("DELETE", "/v1/node").status == 400)
                #expect(try client.request("GET", "/v1/nothing").status == 404)
            }
        }
    }
}
