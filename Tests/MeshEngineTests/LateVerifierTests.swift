import IPLD
import MeshAPI
import MeshCore
import MeshEngine
import MeshMarket
import MeshTestSupport
import Testing

@Suite("Members that come late and are killed at once", .tags(.Size.small))
struct LateVerifierTests {
    /// Whoever submits, whoever runs and whoever is late: feeds come in the order of their authors.
    @Test(
        "A member that is killed while it repeats a run of which it came to know late repeats it again",
        arguments: 0..<6)
    func killedAgain(_ arrangement: Int) throws {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        let (submitter, executor, late) = (
            orders[arrangement][0], orders[arrangement][1], orders[arrangement][2]
        )
        let mesh = try Mesh(count: 3) { index, settings in
            if index != executor { settings.roles = [.submitter, .verifier] }
        }
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 500)
        mesh.kill(late)
        let job = try #require(try mesh.submit(submitter))
        _ = try #require(try mesh.wait(submitter, job, "Completed"))
        // It learns of the job, begins to repeat the run, and dies in the middle of it.
        mesh.nodes[late].isStuck = true
        try mesh.restart(late)
        _ = try mesh.wait(late, job, "Completed")
        mesh.kill(late)
        mesh.nodes[late].isStuck = false
        try mesh.restart(late)
        let view = try #require(try mesh.wait(submitter, job, "Completed", "Verified"))
        #expect(view.verification.state == "Verified")
    }
}
