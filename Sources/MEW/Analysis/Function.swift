internal import MeshGraph

/// The functions of the language; their arguments' types are checked before anything runs.
enum Function: String, Sendable, CaseIterable {
    case length, lower, upper, trim, contains, startsWith = "starts_with", endsWith = "ends_with", substring
    case replace, split
    case abs, min, max, floor, ceil, round, isNaN = "is_nan"
    case now, wallTime = "wall_time", logicalTime = "logical_time"
    case year, month, day, hour, minute, second
    case typeOf = "type_of"
    case coalesce
    case toMilliseconds = "to_milliseconds", toSeconds = "to_seconds", toMinutes = "to_minutes"
    case toHours = "to_hours", toDays = "to_days"
    case currentActor = "current_actor", operation, target, targetType = "target_type"
    case targetAttribute = "target_attr"

    /// What an argument may be.
    enum Parameter {
        case string, number, timestamp, duration, int, stringOrList, anything
    }

    /// The parameters; the last repeats where ``isVariadic``.
    var parameters: [Parameter] {
        switch self {
        case .length: [.stringOrList]
        case .lower, .upper, .trim: [.string]
        case .contains: [.stringOrList, .anything]
        case .startsWith, .endsWith, .split: [.string, .string]
        case .substring: [.string, .int, .int]
        case .replace: [.string, .string, .string]
        case .abs, .floor, .ceil, .round, .isNaN: [.number]
        case .min, .max: [.anything, .anything]
        case .now, .wallTime, .logicalTime, .currentActor, .operation, .target, .targetType,
            .targetAttribute:
            []
        case .year, .month, .day, .hour, .minute, .second: [.timestamp]
        case .typeOf, .coalesce: [.anything]
        case .toMilliseconds, .toSeconds, .toMinutes, .toHours, .toDays: [.duration]
        }
    }

    var isVariadic: Bool { self == .coalesce || self == .min || self == .max }

    /// Whether it may stand only in a policy.
    var isOfPolicies: Bool {
        switch self {
        case .operation, .target, .targetType, .targetAttribute: true
        default: false
        }
    }

    /// Whether its value depends on when it is asked.
    var readsClock: Bool { self == .now || self == .wallTime }

    func result(_ arguments: [StaticType]) -> StaticType {
        switch self {
        case .lower, .upper, .trim, .substring, .replace, .typeOf: .scalar(.string)
        case .length, .floor, .ceil, .round, .year, .month, .day, .hour, .minute, .second, .logicalTime,
            .toMilliseconds, .toSeconds, .toMinutes, .toHours, .toDays:
            .scalar(.int)
        case .contains, .startsWith, .endsWith, .isNaN: .scalar(.bool)
        case .split: .list(.scalar(.string))
        case .abs: arguments.first ?? .unknown
        case .min, .max, .coalesce: StaticType.join(arguments)
        case .now, .wallTime: .scalar(.timestamp)
        case .currentActor, .target: .unknown
        case .operation, .targetType, .targetAttribute: .scalar(.string)
        }
    }
}
