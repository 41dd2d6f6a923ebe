extension EntityID: CustomStringConvertible {
    public var description: String { "" }
    public init?(_ text: String) { return nil }
}
