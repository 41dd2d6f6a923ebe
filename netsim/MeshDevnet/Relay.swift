internal import Foundation
internal import Synchronization

/// The network between the nodes: TCP relays in this process, one in front of each node, that treat the bytes
/// of every (sender, receiver) by a rule of their own.
///
/// One thread moves all bytes. A target advertises the address of its relay; the relay knows the dialler by
/// the address that it dials from (``LoopbackNetwork``), and dials on from there. A dialler with another
/// address is nobody: the general rule counts for it.
public final class Relay: Sendable {
    /// Counts since the start.
    public struct Statistics: Hashable, Sendable {
        public var connections = 0
        /// Bytes handed on, both directions together.
        public var bytes = 0
        /// Connections that were reset or refused by a rule.
        public var resets = 0
        /// Bytes that were sent and have not been handed on.
        public var bytesWaiting = 0
    }

    private let board: RelayBoard

    /// Starts the thread; `seed` decides what latencies and losses are drawn.
    public init(seed: UInt64) throws(DevnetError) {
        board = try RelayBoard()
        let loop = try RelayLoop(board: board, seed: seed)
        let thread = Thread { loop.run() }
        thread.name = "devnet.relay"
        thread.start()
    }

    deinit { stop() }

    /// Opens the relay in front of node `target`.
    ///
    /// - Returns: The port on 127.0.0.1 that the node should advertise.
    public func open(target: Int) throws(DevnetError) -> UInt16 {
        let listener = try LoopbackSocket.listening(on: [127, 0, 0, 1])
        let port = listener.port
        board.ask(.listen(listener, target: target))
        return port
    }

    /// Tells where node `target` listens now; until it is told, whoever dials the node waits.
    public func aim(target: Int, at port: UInt16) { board.ask(.aim(target: target, port: port)) }

    /// Changes the rule for what `sender` sends to `receiver`.
    ///
    /// What is on its way keeps the time that it was given; blocking holds it up all the same. A cut in
    /// either direction resets the connections between the two.
    public func setRule(from sender: Int, to receiver: Int, _ change: (inout LinkRule) -> Void) {
        board.rules.withLock { change(&$0[sender, receiver]) }
        board.ask(.lookAgain)
    }

    /// Changes every rule, those of single directions and the general one for all others.
    public func setEveryRule(_ change: (inout LinkRule) -> Void) {
        board.rules.withLock { $0.changeAll(change) }
        board.ask(.lookAgain)
    }

    /// The rule for what `sender` sends to `receiver`.
    public func rule(from sender: Int, to receiver: Int) -> LinkRule {
        board.rules.withLock { $0[sender, receiver] }
    }

    /// Resets the connections between two nodes; they may be made again at once.
    public func reset(_ first: Int, _ second: Int) { board.ask(.reset(first, second)) }

    public var statistics: Statistics { board.statistics.withLock { $0 } }

    /// Ends all connections and the thread.
    public func stop() { board.ask(.stop) }
}

/// The rules by direction.
struct RuleTable: Sendable {
    struct Direction: Hashable, Sendable {
        let sender: Int
        let receiver: Int
    }

    private var general = LinkRule()
    private var rules: [Direction: LinkRule] = [:]

    subscript(sender: Int, receiver: Int) -> LinkRule {
        get { rules[Direction(sender: sender, receiver: receiver)] ?? general }
        set { rules[Direction(sender: sender, receiver: receiver)] = newValue }
    }

    mutating func changeAll(_ change: (inout LinkRule) -> Void) {
        change(&general)
        rules = rules.mapValues { rule in
            var rule = rule
            change(&rule)
            return rule
        }
    }
}
