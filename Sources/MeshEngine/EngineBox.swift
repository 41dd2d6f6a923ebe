public import IPLD
public import MeshCore
public import MeshGossip
public import MeshStorage

/// The one place where a shell keeps its engine.
///
/// A second copy of the value, however short-lived, costs the counting of everything in it and may make the
/// next step copy whole dictionaries. Reading a property of a value through an object copies the whole
/// value, so everything here goes by address.
public final class EngineBox {
    /// For what needs the engine itself, lent in place.
    public var value: NodeEngine

    public init(_ value: consuming NodeEngine) { self.value = value }

    public var nextDeadline: Timestamp? { Self.read(&value) { $0.nextDeadline } }
    public var mustPersist: Bool { Self.read(&value) { $0.mustPersist } }
    public var frontierFingerprint: Bytes32 { Self.read(&value) { $0.frontierFingerprint } }
    public func isKnown(_ cid: CID) -> Bool { Self.read(&value) { $0.isKnown(cid) } }
    public func isChecked(_ member: CID) -> Bool { Self.read(&value) { $0.isChecked(member) } }

    /// See ``NodeEngine/admits(_:byteCount:on:now:)``.
    public func admits(_ type: FrameType, byteCount: Int, on link: PeerLink, now: Timestamp) -> Bool {
        value.admits(type, byteCount: byteCount, on: link, now: now)
    }

    /// See ``NodeEngine/step(_:now:isIdle:storage:blobs:)``.
    public func step(
        _ inputs: [EngineInput], now: Timestamp, isIdle: Bool, storage: any StorageWriter,
        blobs: any BlobStorage
    ) throws(StorageError) -> [EngineEffect] {
        try value.step(inputs, now: now, isIdle: isIdle, storage: storage, blobs: blobs)
    }

    @inline(never)
    private static func read<Value>(
        _ engine: inout NodeEngine, _ body: (inout NodeEngine) -> Value
    ) -> Value { body(&engine) }
}
