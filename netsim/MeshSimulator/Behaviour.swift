/// How a node misbehaves: a real engine whose runs or frames are tampered with, under its own key.
public enum Behaviour {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Signs two anchors at one place of its feed and tells each half of the mesh another one.
        case equivocator
        /// Reports outputs that the job does not give.
        case wrongOutput = "wrong-output"
        /// Reports fuel that the job did not burn.
        case wrongFuel = "wrong-fuel"
        /// Says again, later, what it or others have said.
        case replayer
        /// Sends frames that mean nothing, and anchors with bad signatures.
        case flooder
        /// Bids, wins, and is never heard of again about the job.
        case vanisher
        /// Finds every receipt wrong.
        case falseAttester = "false-attester"
        /// Reports wrong outputs and finds those of its fellows right.
        case colluder
        /// One of many identities that gather around the first node and pass nothing on.
        case sybil
        /// Passes on nothing that is not its own, or nothing of its targets, and announces it all the same.
        case censor
        /// Accuses the first node of having signed two histories, with an anchor that it made itself.
        case forger
        /// Keeps its links alive and says nothing else.
        case mute
        /// Takes part in everything and is silent about all that is not its own: it neither pushes,
        /// announces nor gives it.
        case dropper
        /// Signs suspicions of everybody, claims the highest incarnations there are for itself, and says
        /// again what others once said of themselves.
        case incarnationPoisoner = "incarnation-poisoner"

        /// Whether only a member of the federation can do this.
        var needsMembership: Bool { self == .falseAttester || self == .colluder }

        /// Whether swarms draw it; what scenarios of their own are about stays out, so that the seeds
        /// which were broken once go on meaning the same runs.
        var isDrawn: Bool { self != .dropper && self != .incarnationPoisoner }
    }
}
