import JSON5
@testable import MeshSimulator
import MeshTestSupport
import Testing

import Foundation

@Suite("Scenario files", .tags(.Size.small))
struct ScenarioTests {
    private func faults(_ text: String) -> [String] {
        do throws(JSON5Error) {
            _ = try Scenario(text: text, name: "test")
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test("every mistake is named with its place, and the nearest word that would be right")
    func mistakes() {
        #expect(faults("{ nodes: }") == ["“}” cannot start a value (line 1, column 10)"])
        #expect(
            faults("{ node: 3 }") == ["node: is not a setting; did you mean “nodes”? (line 1, column 3)"])
        #expect(
            faults("{\n faults: [ { kind: 'crush', nodes: ['n01'] } ] }") == [
                "faults[0].kind: “crush” is none of \(Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")); did you mean “crash”? (line 2, column 20)"
            ])
        #expect(faults("{ duration: '5 minutes' }").first?.contains("is not a duration") == true)
        #expect(faults("{ nodes: 3, members: 3, threshold: 3 }").first?.contains("cannot meet it") == true)
        #expect(
            faults("{ nodes: 3, members: 0, faults: [{kind: 'pause', nodes: ['n09']}] }").first?.contains(
                "there is no n09") == true)
        #expect(faults("{ network: { latency: { normal: '5ms' } } }").count == 2)
        #expect(faults("{ expect: { violations: ['one-winer'] } }").first?.contains("one-winner") == true)
        #expect(faults("{ faults: [{ kind: 'crash' }] }").first?.contains("needs nodes") == true)
    }

    @Test("what is left out has a value that works")
    func defaults() throws {
        let scenario = try Scenario(text: "{}", name: "empty")
        #expect(scenario.nodes == 25)
        #expect(scenario.network.latency == .lognormal(median: 40_000, spread: 0.4))
        let text =
            "{ network: { latency: { uniform: ['1ms', '2.5ms'] } }, run: { exponential: '1s' }, sync: '0s' }"
        let other = try Scenario(text: text, name: "other")
        #expect(other.network.latency == .uniform(1_000...2_500))
        #expect(other.run == .exponential(mean: 1_000_000))
        #expect(other.sync == .constant(0))
    }

    @Test("the scenarios that come with the project can all be read")
    func shipped() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("netsim/scenarios").path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".json5")
        }
        #expect(names.count >= 12)
        for name in names.sorted() {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            let scenario = try Scenario(text: text, name: name)
            #expect(!scenario.about.isEmpty, "\(name) does not say what it is about")
        }
    }

    @Test("distributions have the means and medians that they say")
    func distributions() {
        var generator = Chance(seed: 1).generator(for: "test")
        func draws(_ distribution: Distribution) -> [Double] {
            (0..<4_000).map { _ in Double(distribution.draw(&generator)) }.sorted()
        }
        let lognormal = draws(.lognormal(median: 40_000, spread: 0.5))
        #expect((38_000...42_000).contains(lognormal[2_000]))
        // One standard deviation of the logarithm above the median: the 84th percentile.
        #expect((61_000...71_000).contains(lognormal[3_365]))
        let exponential = draws(.exponential(mean: 10_000))
        #expect((9_400...10_600).contains(exponential.reduce(0, +) / 4_000))
        let uniform = draws(.uniform(100...200))
        #expect(uniform.first ?? 0 >= 100 && uniform.last ?? 0 <= 200)
        #expect(Logarithm.natural(10) - 2.302_585_092_994_046 < 1e-12)
        #expect(abs(Logarithm.exponential(1) - 2.718_281_828_459_045) < 1e-12)
    }

    @Test("events come by their instants, and in the order they were put where those are equal")
    func queue() {
        var queue = EventQueue<Int>()
        var generator = Chance(seed: 2).generator(for: "queue")
        var expected: [(Int64, Int)] = []
        for number in 0..<500 {
            let time = Int64(generator.below(40))
            queue.push(number, at: time)
            expected.append((time, number))
        }
        expected.sort { $0 < $1 }
        for (time, number) in expected {
            let next = queue.pop()
            #expect(next?.time == time && next?.event == number)
        }
        #expect(queue.pop() == nil)
    }
}
