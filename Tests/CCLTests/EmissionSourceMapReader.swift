internal import Foundation

/// Reads the mappings of a source map with one generated line and one source.
enum SourceMapReader {
    struct Malformed: Error {}

    /// - Returns: Byte, line and column of each mapping, the latter from 1, or nothing for code of no text.
    static func read(_ json: String) throws -> [(offset: Int, line: Int?, column: Int?)] {
        guard let map = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
            map["version"] as? Int == 3, (map["sources"] as? [String])?.count == 1,
            let mappings = map["mappings"] as? String
        else { throw Malformed() }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var answer: [(offset: Int, line: Int?, column: Int?)] = []
        var (offset, line, column) = (0, 0, 0)
        for segment in mappings.split(separator: ",") {
            var fields: [Int] = []
            var (value, shift) = (0, 0)
            for character in segment {
                guard let digit = alphabet.firstIndex(of: character) else { throw Malformed() }
                value |= (digit & 31) << shift
                shift += 5
                if digit < 32 {
                    fields.append(value & 1 == 1 ? -(value >> 1) : value >> 1)
                    (value, shift) = (0, 0)
                }
            }
            guard fields.count == 1 || fields.count == 4, shift == 0 else { throw Malformed() }
            offset += fields[0]
            if fields.count == 1 {
                answer.append((offset, nil, nil))
            } else {
                line += fields[2]
                column += fields[3]
                answer.append((offset, line + 1, column + 1))
            }
        }
        return answer
    }
}
