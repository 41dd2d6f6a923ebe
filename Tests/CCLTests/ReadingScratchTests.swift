import CCL
import Foundation
import Testing
@Suite struct ScratchTests {
    @Test func show() throws {
        for path in (ProcessInfo.processInfo.environment["CCL_FILES"] ?? "").split(separator: ",") {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: String(path))))
            let (text, diagnostics) = Contract.formatted(bytes)
            for d in diagnostics { print(d.rendered(source: String(decoding: bytes, as: UTF8.self), name: String(path))) }
            print(text ?? "NONE")
            if let text { print(Contract.formatted(Array(text.utf8)).text == text ? "IDEMPOTENT" : "DIFFERS") }
        }
    }
}
