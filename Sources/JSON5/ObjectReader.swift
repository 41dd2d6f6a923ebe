internal import CommandLineArguments

/// One thing that is wrong with a file of settings.
public struct JSON5Fault: Hashable, Sendable, CustomStringConvertible {
    /// Such as `peers[1].did`; empty for the file as a whole.
    public let path: String
    /// What is wrong and, where there is one, the remedy.
    public let message: String
    /// Where the value stands, or the object that lacks it.
    public let position: TextPosition?

    public init(path: String, message: String, position: TextPosition?) {
        self.path = path
        self.message = message
        self.position = position
    }

    public var description: String {
        (path.isEmpty ? "" : "\(path): ") + message + (position.map { " (\($0))" } ?? "")
    }
}

/// Everything that is wrong with a file of settings; never empty.
public struct JSON5Error: Error, Sendable, CustomStringConvertible {
    public let faults: [JSON5Fault]

    public init(faults: [JSON5Fault]) {
        self.faults = faults
    }

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

extension JSON5Parser {
    /// Reads a whole file as one value, and names what is wrong with the text as a fault of the file.
    ///
    /// - Parameters:
    ///   - text: JSON5.
    ///   - byteCountMax: How many bytes of UTF-8 the text may have; a longer one is refused unread.
    /// - Returns: The value.
    /// - Throws: One fault, with an empty path: the text is too long, or no JSON5.
    public static func file(_ text: String, byteCountMax: Int = .max) throws(JSON5Error) -> JSON5Value {
        guard text.utf8.count <= byteCountMax else {
            throw JSON5Error(faults: [
                JSON5Fault(path: "", message: "is longer than \(byteCountMax) bytes", position: nil)
            ])
        }
        do throws(JSON5SyntaxError) {
            return try parse(text)
        } catch {
            throw JSON5Error(faults: [JSON5Fault(path: "", message: error.message, position: error.position)])
        }
    }
}

/// The faults found so far.
///
/// Used by one thread.
public final class FaultList {
    /// The most that are kept: a file can be nothing but faults, and nobody reads further.
    public static let countMax = 10_000

    public private(set) var faults: [JSON5Fault] = []

    public init() {}

    /// Notes one.
    public func add(_ path: String, _ message: String, _ position: TextPosition?) {
        guard faults.count < Self.countMax else { return }
        faults.append(JSON5Fault(path: path, message: message, position: position))
    }
}

/// Reads the members of one object, notes what is wrong and goes on with a default.
public final class ObjectReader {
    public let path: String
    public let position: TextPosition?
    public let faults: FaultList
    private var members: [String: JSON5Value] = [:]
    private var keys: [(key: String, position: TextPosition)] = []
    private var known: [String] = []

    /// An object that is not there, or is not one, reads as empty.
    public init(_ value: JSON5Value?, path: String, faults: FaultList) {
        self.path = path
        self.faults = faults
        position = value?.position
        guard let value else { return }
        guard case .object(let list) = value.content else {
            faults.add(path, "must be an object, not \(value.kindName)", value.position)
            return
        }
        for member in list {
            if members[member.key] != nil {
                faults.add(join(member.key), "stands here twice", member.position)
            } else {
                keys.append((member.key, member.position))
            }
            members[member.key] = member.value
        }
    }

    public func join(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The value under `key`; null reads as absent.
    public func value(_ key: String) -> JSON5Value? {
        known.append(key)
        guard let value = members[key] else { return nil }
        if case .null = value.content { return nil }
        return value
    }

    public func has(_ key: String) -> Bool { members[key] != nil }

    public func object(_ key: String) -> ObjectReader {
        ObjectReader(value(key), path: join(key), faults: faults)
    }

    public func text(_ key: String) -> (text: String, position: TextPosition)? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value.content else {
            faults.add(join(key), "must be text, not \(value.kindName)", value.position)
            return nil
        }
        return (text, value.position)
    }

    public func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ fallback: Choice) -> Choice
    where Choice.RawValue == String {
        guard let (text, position) = text(key) else { return fallback }
        if let choice = Choice(rawValue: text) { return choice }
        refuse(text, at: join(key), position, choices: Choice.allCases.map(\.rawValue))
        return fallback
    }

    public func refuse(_ text: String, at path: String, _ position: TextPosition, choices: [String]) {
        let near = Suggestion.nearest(to: text, among: choices).map { "; did you mean “\($0)”?" } ?? ""
        faults.add(path, "“\(text)” is none of \(choices.joined(separator: ", "))\(near)", position)
    }

    public func boolean(_ key: String, _ fallback: Bool) -> Bool {
        guard let value = value(key) else { return fallback }
        guard case .boolean(let flag) = value.content else {
            faults.add(join(key), "must be true or false, not \(value.kindName)", value.position)
            return fallback
        }
        return flag
    }

    public func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .integer(let number) = value.content else {
            faults.add(join(key), "must be a whole number, not \(value.kindName)", value.position)
            return nil
        }
        guard range.contains(number) else {
            faults.add(
                join(key), "must be between \(range.lowerBound) and \(range.upperBound), not \(number)",
                value.position)
            return nil
        }
        return number
    }

    /// The elements of a list, each with its path.
    public func list(_ key: String) -> [(path: String, value: JSON5Value)] {
        guard let value = value(key) else { return [] }
        guard case .array(let elements) = value.content else {
            faults.add(join(key), "must be a list, not \(value.kindName)", value.position)
            return []
        }
        return elements.enumerated().map { ("\(join(key))[\($0.offset)]", $0.element) }
    }

    public func texts(_ key: String) -> [(path: String, text: String, position: TextPosition)] {
        list(key).compactMap { path, value in
            guard case .string(let text) = value.content else {
                faults.add(path, "must be text, not \(value.kindName)", value.position)
                return nil
            }
            return (path, text, value.position)
        }
    }

    /// The members of an object with free keys and text values.
    public func labels(_ key: String) -> [String: String] {
        guard let value = value(key) else { return [:] }
        guard case .object(let list) = value.content else {
            faults.add(join(key), "must be an object, not \(value.kindName)", value.position)
            return [:]
        }
        var labels: [String: String] = [:]
        for member in list {
            let path = "\(join(key)).\(member.key)"
            guard case .string(let text) = member.value.content else {
                faults.add(path, "must be text, not \(member.value.kindName)", member.value.position)
                continue
            }
            if labels.updateValue(text, forKey: member.key) != nil {
                faults.add(path, "stands here twice", member.position)
            }
        }
        return labels
    }

    /// Notes every key that nobody asked for.
    ///
    /// Call it last.
    public func finish() {
        for (key, position) in keys where !known.contains(key) {
            let near = Suggestion.nearest(to: key, among: known).map { "; did you mean “\($0)”?" } ?? ""
            faults.add(join(key), "is not a setting\(near)", position)
        }
    }
}
