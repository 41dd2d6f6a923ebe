internal import MeshSimulator

@main
enum Program {
    static func main() {
        var scenario = Scenario()
        scenario.nodes = 25
        let result = Simulation.run(Plan(scenario, seed: 1), isTracing: true)
        print(result.statistics, result.convergedAt ?? -1)
        for failure in result.failures { print(failure) }
        if CommandLine.arguments.count > 1 { print(result.trace?.text ?? "") }
    }
}
