public import MeshCore

/// Where an execution belongs: folders below the store's root.
///
/// Written `/` for the root itself and `/a/b` below it; the leading slash means the root, and may be left out.
public struct ContextPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The most bytes of a path.
    public static let lengthMax = 1024
    /// The most folders of a path.
    public static let depthMax = 32
    /// The most bytes of one folder's name.
    public static let nameLengthMax = 255

    /// The names of the folders, outermost first; none for the root.
    public let components: [String]

    /// The root itself.
    public static let root = ContextPath(checked: [])

    init(checked components: [String]) { self.components = components }

    /// Reads a path.
    ///
    /// - Throws: ``ExecutionFailure/badContext`` for `..`, `.`, an empty name, `//` in front, a control
    ///   character, a backslash, `.spl` in any spelling, or a path beyond the bounds.
    public init(_ text: String) throws(ExecutionError) {
        func refuse(_ why: String) -> ExecutionError {
            ExecutionError(
                .badContext, "the context \"\(text.prefix(80))\" \(why)",
                hint: "name folders below the root, such as /projects/a; / is the root itself")
        }
        guard text.utf8.count <= Self.lengthMax else {
            throw refuse("has more than \(Self.lengthMax) bytes")
        }
        if text == "/" || text.isEmpty {
            components = []
            return
        }
        let relative = text.utf8.first == UInt8(ascii: "/") ? text.dropFirst() : text[...]
        let names = relative.split(separator: "/", omittingEmptySubsequences: false)
        guard names.count <= Self.depthMax else { throw refuse("has more than \(Self.depthMax) folders") }
        for name in names {
            if name == ".." { throw refuse("would leave its folder") }
            if name.isEmpty || name == "." { throw refuse("has a folder without a name") }
            if name.lowercased() == ".spl" { throw refuse("names the store's own folder") }
            guard name.utf8.count <= Self.nameLengthMax else {
                throw refuse("has a folder of more than \(Self.nameLengthMax) bytes")
            }
            guard !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }) else {
                throw refuse("holds a character that no folder's name should")
            }
        }
        components = names.map(String.init)
    }

    public var description: String { "/" + components.joined(separator: "/") }

    public static func < (a: Self, b: Self) -> Bool {
        a.components.lexicographicallyPrecedes(b.components)
    }
}
