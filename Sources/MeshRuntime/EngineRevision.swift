/// What an engine profile calls those engines that are ours; a change of what they give or charge changes the name.
package enum EngineRevision {
    /// The engine of graphs: passes, what adapters give, fuel, and the texts of what comes out.
    package static let dataflow = "planetary-mesh/1"
}
