import Foundation
import MeshCore
import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("A mesh knows who is alive", .tags(.Size.medium))
struct MemberNetworkTests {
    private static let isLong = ProcessInfo.processInfo.environment["MESH_LONG"] == "1"

    /// A mesh that has run for a while, with a victim.
    private func mesh(_ seed: Seed, count: Int = 32, loss: Double = 0) -> (MemberNetwork, victim: Int) {
        var generator = seed.generator
        var network = MemberNetwork(
            count: count, degree: Int.random(in: 5...8, using: &generator), loss: loss,
            seed: generator.next())
        network.run(Int64.random(in: 5_000..<8_000, using: &generator))
        return (network, Int.random(in: 0..<count, using: &generator))
    }

    private func isGone(_ victim: Int, in network: MemberNetwork) -> Bool {
        network.nodes.indices.allSatisfy {
            $0 == victim || network.nodes[$0].condition != .running || network.state(victim, at: $0) == .gone
        }
    }

    /// Those whom somebody took for gone.
    private func buried(in network: MemberNetwork) -> [Int] {
        Set(network.changes.filter { $0.state == .gone }.map(\.subject)).sorted()
    }

    @Test(
        "A killed process is known to all of 32 within 300 ms, and nobody else is taken for gone",
        arguments: Seed.sample(20))
    func killed(seed: Seed) {
        var (network, victim) = mesh(seed)
        network.kill(victim)
        let time = network.run(10_000) { isGone(victim, in: $0) }
        #expect(time ?? .max <= 300)
        network.run(10_000)
        #expect(buried(in: network) == [victim])
        if Self.isLong { print("figure killed: \(time ?? -1) ms") }
    }

    @Test(
        "A node that falls silent is known to all of 32 within 3 s, and nobody else is taken for gone",
        arguments: Seed.sample(20))
    func silent(seed: Seed) {
        var (network, victim) = mesh(seed)
        network.cutOff(victim)
        let time = network.run(20_000) { isGone(victim, in: $0) }
        #expect(time ?? .max <= 3_000)
        network.run(10_000)
        #expect(buried(in: network) == [victim])
        if Self.isLong { print("figure silent: \(time ?? -1) ms") }
    }

    @Test("Nobody is taken for gone in an hour of 30 % loss", arguments: Seed.sample(1))
    func lossy(seed: Seed) {
        var (network, _) = mesh(seed, count: Self.isLong ? 32 : 9, loss: 0.3)
        network.run((Self.isLong ? 10 : 1) * 3_600_000)
        #expect(buried(in: network) == [])
        // The loss must have been felt for this to mean anything.
        #expect(network.suspicionCount > 0)
        if Self.isLong {
            print("figure lossy: \(network.suspicionCount) suspicions, \(network.wires.count) links")
        }
    }

    @Test(
        "An idle mesh suspects nobody and sends less than 2 kB a second for each node",
        arguments: Seed.sample(3))
    func idle(seed: Seed) {
        var (network, _) = mesh(seed)
        let before = network.nodes.map(\.sent)
        network.run(60_000)
        let rates = zip(network.nodes, before).map { ($0.sent - $1) / 60 }
        #expect(rates.max() ?? .max <= 2_000)
        #expect(rates.min() ?? 0 > 0)
        #expect(network.suspicionCount == 0)
        if Self.isLong { print("figure idle: \(rates.sorted()) B/s") }
    }

    /// Whether everyone takes everyone for alive.
    private func isWhole(_ network: MemberNetwork) -> Bool {
        network.nodes.indices.allSatisfy { observer in
            network.nodes.indices.allSatisfy {
                observer == $0 || network.state($0, at: observer) == .alive
            }
        }
    }

    @Test(
        "A node that stands still for 5 s refutes when it goes on, and buries nobody itself",
        arguments: Seed.sample(10))
    func paused(seed: Seed) {
        var (network, victim) = mesh(seed)
        network.stop(victim)
        network.run(5_000)
        #expect(buried(in: network) == [victim])
        network.resume(victim)
        #expect(network.run(5_000) { isWhole($0) } != nil)
        network.run(10_000)
        #expect(isWhole(network))
        #expect(buried(in: network) == [victim])
    }

    @Test("A pause too short to tell from a slow link costs nobody its life", arguments: Seed.sample(10))
    func hiccup(seed: Seed) {
        var (network, victim) = mesh(seed)
        network.stop(victim)
        network.run(1_200)
        network.resume(victim)
        network.run(10_000)
        #expect(buried(in: network) == [])
        #expect(isWhole(network))
    }

    @Test("Where links carry one way only, others vouch and nobody is buried", arguments: Seed.sample(10))
    func oneWay(seed: Seed) {
        var (network, victim) = mesh(seed)
        let neighbours = network.neighbours(of: victim)
        network.blocked = [(neighbours[0], victim), (victim, neighbours[1])]
        network.run(30_000)
        #expect(network.suspicionCount > 0 || network.nodes.contains { $0.membership.localHealth > 0 })
        #expect(buried(in: network) == [])
        network.blocked = []
        #expect(network.run(20_000) { isWhole($0) } != nil)
    }

    @Test(
        "A deaf node buries others for itself alone, and is one of all again when it hears",
        arguments: Seed.sample(10))
    func deaf(seed: Seed) {
        var (network, victim) = mesh(seed)
        network.blocked = network.nodes.indices.filter { $0 != victim }.map { ($0, victim) }
        network.run(30_000)
        // Who cannot hear cannot answer either, so it may well be gone for the others.
        #expect(
            network.changes.allSatisfy { $0.state != .gone || $0.observer == victim || $0.subject == victim })
        network.blocked = []
        #expect(network.run(20_000) { isWhole($0) } != nil)
    }

    @Test("Liars who suspect everyone all the time bring nobody down", arguments: Seed.sample(4))
    func liars(seed: Seed) {
        var (network, liar) = mesh(seed, count: 12)
        let liars = [PlainSigner(liar), PlainSigner((liar + 1) % 12)]
        for _ in 0..<100 {
            for subject in network.nodes.indices {
                for signer in liars where signer.did != network.did(subject) {
                    let lie = Suspicion(
                        subject: network.did(subject),
                        incarnation: network.nodes[subject].membership.own.record.incarnation,
                        witness: signer.did, cause: .refused, time: network.now)
                    network.inject(SignedSuspicion(signing: lie, by: signer).envelope, at: liar)
                }
            }
            network.run(50)
        }
        #expect(buried(in: network) == [])
        network.run(10_000)
        #expect(isWhole(network))
    }

    @Test("Half of a mesh that dies at once is known to the other half", arguments: Seed.sample(6))
    func massacre(seed: Seed) {
        var (network, first) = mesh(seed)
        let victims = (0..<10).map { (first + 3 * $0) % 32 }
        for victim in victims { network.kill(victim) }
        network.run(30_000)
        #expect(buried(in: network) == victims.sorted())
    }

    @Test("A goodbye is known to all at once", arguments: Seed.sample(3))
    func goodbye(seed: Seed) {
        var (network, leaver) = mesh(seed)
        network.leave(leaver)
        #expect(isGone(leaver, in: network))
        network.run(5_000)
        #expect(buried(in: network) == [leaver])
    }

    @Test("The same seed tells the same story")
    func reproducible() {
        func story() -> [MemberNetwork.Change] {
            var (network, victim) = mesh(Seed(rawValue: 5), count: 12, loss: 0.3)
            network.run(60_000)
            network.cutOff(victim)
            network.run(60_000)
            return network.changes
        }
        let first = story()
        #expect(!first.isEmpty)
        #expect(first == story())
    }
}
