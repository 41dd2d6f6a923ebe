internal import JSON5
internal import MeshSimulator

import Foundation

/// Scenarios by name or path.
enum ScenarioFiles {
    /// Reads a scenario.
    ///
    /// - Parameters:
    ///   - argument: A path, the name of a file in `netsim/scenarios`, or `swarm`.
    ///   - seed: Decides what `swarm` is.
    /// - Returns: The scenario.
    /// - Throws: ``ToolError`` with everything that is wrong with it.
    static func scenario(_ argument: String, seed: UInt64) throws -> Scenario {
        if argument == Scenario.swarmName { return Scenario(swarm: seed) }
        guard let path = candidates(argument).first(where: FileManager.default.fileExists) else {
            throw ToolError("there is no scenario “\(argument)”; there are \(names.joined(separator: ", "))")
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        do throws(JSON5Error) {
            return try Scenario(text: text, name: name)
        } catch {
            throw ToolError(error.faults.map { "\(path): \($0)" }.joined(separator: "\n"))
        }
    }

    /// The names of the scenarios that come with the project.
    static var names: [String] {
        folders.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
            .filter { $0.hasSuffix(".json5") }.map { String($0.dropLast(6)) }.sorted()
    }

    private static func candidates(_ argument: String) -> [String] {
        [argument] + folders.map { "\($0)/\(argument).json5" }
    }

    /// Below the current folder, or else below the one that the program was built in.
    private static var folders: [String] {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let package = program.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let places = ["netsim/scenarios", package.appendingPathComponent("netsim/scenarios").path]
        return places.first { FileManager.default.fileExists(atPath: $0) }.map { [$0] } ?? []
    }
}
