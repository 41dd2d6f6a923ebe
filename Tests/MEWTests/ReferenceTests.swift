import Foundation
import MeshTestSupport
import Testing

@testable import MEW

@Suite("The language's reference", .tags(.Size.small))
struct ReferenceTests {
    @Test func `every error code is explained in the reference`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/MEW/MEW.docc/Errors.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        for code in ErrorCode.allCases {
            #expect(text.contains("| \(code.rawValue) |"), "\(code.rawValue) is not in Errors.md")
        }
    }
}
