/// The system types whose rows the engine gives.
public enum SystemRows {
    /// Sorted.
    public static let types = ["Attestation", "Award", "Bid", "Feed", "Job", "MeshNode", "Receipt", "Token"]
}
