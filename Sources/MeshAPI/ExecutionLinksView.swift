/// The execution document of a run, as its receipt links it.
public struct ExecutionLinksView: APIRecord, Hashable {
    /// What the execution is called: the job's id, a point, the epoch.
    public var uid: String
    /// The CID of the document when the run began.
    public var startCID: String
    /// The CID of the document when it was over.
    public var endCID: String

    public init(uid: String, startCID: String, endCID: String) {
        self.uid = uid
        self.startCID = startCID
        self.endCID = endCID
    }

    enum CodingKeys: String, CodingKey {
        case uid
        case startCID = "start_cid"
        case endCID = "end_cid"
    }

    public static let fields: [APIField] = [
        APIField("uid", .string),
        APIField("start_cid", .string),
        APIField("end_cid", .string),
    ]
}
