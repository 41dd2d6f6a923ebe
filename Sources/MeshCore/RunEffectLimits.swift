/// The bounds of what a run may ask of its host.
public enum RunEffectLimits {
    public static let effectCountMax = 1_000
    public static let submissionCountMax: UInt32 = 32
    /// How many jobs may stand above a job that submits one.
    public static let depthMax: UInt64 = 8
    /// Bytes of a text that a run anchors.
    public static let anchoredByteCountMax = 4_096
    public static let descriptionByteCountMax = 1_024
    public static let resourceByteCountMax = 64
}
