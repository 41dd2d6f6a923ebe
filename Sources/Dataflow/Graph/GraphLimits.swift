/// How large graphs and what belongs to them may be; everything beyond is refused before it is worked on.
public enum GraphLimits {
    /// The longest text of a graph file, in bytes of UTF-8.
    public static let fileBytesMax = 32 << 20
    /// The most nodes of a graph, after its clusters are expanded.
    public static let nodesMax = 200_000
    public static let edgesMax = 1_000_000
    public static let outputsMax = 10_000
    public static let externalInputsMax = 1_000
    public static let clustersMax = 1_000
    /// How deep clusters may stand in clusters.
    public static let clusterDepthMax = 16
    public static let parametersMax = 64
    public static let portsMax = 64
    /// The longest name of a node in a file, a port, a parameter or a primitive, in bytes.
    public static let nameMax = 64
    /// The longest id of a node after expansion, in bytes.
    public static let idMax = (nameMax + 1) * (clusterDepthMax + 1)
    /// The most that an expansion may count: ``elementBytes`` for each node and edge, ``endBytes`` for each input that
    /// a cluster's input stands for, and the bytes of the ids in them.
    public static let expansionBytesMax = 1 << 30
    static let elementBytes = 1_024
    static let endBytes = 64
    /// The longest text of a parameter, in bytes.
    public static let textMax = 64 << 10
    /// The longest series, in numbers.
    public static let seriesMax = 1 << 20
    /// The most faults that are listed.
    public static let faultsMax = 1_000

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Whether `text` is letters, digits, `_` and `-` of ASCII, and as long as a name may be.
    public static func isName(_ text: String) -> Bool {
        (1...nameMax).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
    }

    /// Whether `text` is a version: as a name, with points.
    public static func isVersion(_ text: String) -> Bool {
        (1...nameMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ".") }
    }

    /// Whether `text` can be the id of an expanded node: names with `/` between them.
    public static func isNodeID(_ text: String) -> Bool {
        (1...idMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "/") }
    }
}
